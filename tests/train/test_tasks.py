"""What a task gets where nothing is asked for: the rows of the table in docs/training-data.md."""

from __future__ import annotations

import pytest
import torch
import transformers as t
from torch import nn
from torch.nn import functional as F

from tlwidgets.train import TaskData, fit, next_token_loss

DRAW = torch.Generator().manual_seed(0)
X = torch.randn(16, 4, generator=DRAW)
CLASSES = torch.arange(16) % 3
SEVERAL = torch.tensor([[1, 0, 1], [0, 0, 1], [1, 1, 1], [0, 0, 0]]).repeat(4, 1)
SMALL = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
IDS = torch.randint(3, 20, (16, 5), generator=DRAW)
TAGS = torch.randint(0, 3, (16, 5), generator=DRAW).masked_fill(IDS == 7, -100)


def bert(kind, **options):
    torch.manual_seed(0)
    return kind(t.BertConfig(**SMALL, vocab_size=20, hidden_dropout_prob=0, **options)).eval()


def head(outputs):
    torch.manual_seed(0)
    return nn.Linear(4, outputs)


def gpt():
    torch.manual_seed(0)
    return t.GPT2LMHeadModel(t.GPT2Config(n_embd=8, n_layer=1, n_head=2, vocab_size=20, n_positions=8)).eval()


def t5():
    torch.manual_seed(0)
    small = {"d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2, "vocab_size": 20}
    return t.T5ForConditionalGeneration(t.T5Config(**small, decoder_start_token_id=0, dropout_rate=0.0))


class Pixels(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Conv2d(1, 3, 1)

    def forward(self, x):
        return self.layer(x)


def tokens(logits, labels):
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten())


def right(logits, labels, axis=1):
    return (logits.argmax(axis) == labels)[labels != -100].float().mean()


def yes(logits, labels):
    return ((logits > 0) == (labels > 0.5)).float().mean()


# name: model, data, the loss of logits and labels, and what `accuracy` is
ROWS = {
    "classes": (lambda: head(3), (X, CLASSES), F.cross_entropy, right),
    "classes, one-hot": (
        lambda: head(3),
        (X, F.one_hot(CLASSES)),
        lambda o, y: F.cross_entropy(o, y.argmax(1)),
        lambda o, y: right(o, y.argmax(1)),
    ),
    "classes, one-hot floats": (
        lambda: head(3),
        (X, F.one_hot(CLASSES).float()),
        lambda o, y: F.cross_entropy(o, y.argmax(1)),
        lambda o, y: right(o, y.argmax(1)),
    ),
    "yes or no, one logit": (
        lambda: head(1),
        (X, CLASSES % 2),
        lambda o, y: F.binary_cross_entropy_with_logits(o[:, 0], y.float()),
        lambda o, y: yes(o[:, 0], y),
    ),
    "several labels": (
        lambda: head(3),
        (X, SEVERAL),
        lambda o, y: F.binary_cross_entropy_with_logits(o, y.float()),
        yes,
    ),
    "several labels, floats": (
        lambda: head(3),
        (X, SEVERAL.float()),
        F.binary_cross_entropy_with_logits,
        yes,
    ),
    "several labels by the configuration": (
        lambda: bert(
            t.BertForSequenceClassification, num_labels=3, problem_type="multi_label_classification"
        ),
        {"input_ids": IDS, "labels": torch.rand(16, 3, generator=DRAW)},
        F.binary_cross_entropy_with_logits,
        yes,
    ),
    "regression": (lambda: head(1), (X, X.sum(1)), lambda o, y: F.mse_loss(o[:, 0], y), None),
    "regression, 0 or 1 by the configuration": (
        lambda: bert(t.BertForSequenceClassification, num_labels=3, problem_type="regression"),
        {"input_ids": IDS, "labels": SEVERAL.float()},
        F.mse_loss,
        None,
    ),
    "regression, double": (
        lambda: head(1),
        (X, X.double().sum(1)),
        lambda o, y: F.mse_loss(o[:, 0], y.float()),
        None,
    ),
    "sequence labelling": (
        lambda: bert(t.BertForTokenClassification, num_labels=3),
        {"input_ids": IDS, "labels": TAGS},
        tokens,
        lambda o, y: right(o, y, 2),
    ),
    "masked language model": (
        lambda: bert(t.BertForMaskedLM),
        {"input_ids": IDS, "labels": IDS.masked_fill(IDS < 9, -100)},
        tokens,
        lambda o, y: right(o, y, 2),
    ),
    "causal language model": (
        gpt,
        {"input_ids": IDS, "labels": IDS},
        next_token_loss,
        lambda o, y: right(o[:, :-1], y[:, 1:], 2),
    ),
    "sequence to sequence": (
        t5,
        {"input_ids": IDS, "labels": TAGS + (TAGS >= 0) * 3},
        tokens,
        lambda o, y: right(o, y, 2),
    ),
    "pixels": (
        Pixels,
        (X.reshape(16, 1, 2, 2), torch.randint(0, 3, (16, 2, 2), generator=DRAW)),
        F.cross_entropy,
        right,
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_each_task_gets_the_loss_and_the_metric_of_its_row(row):
    make, data, loss, metric = ROWS[row]
    model = make()
    inputs = (
        {"input": data[0]} if isinstance(data, tuple) else {k: v for k, v in data.items() if k != "labels"}
    )
    labels = data[1] if isinstance(data, tuple) else data["labels"]
    if row == "sequence to sequence":
        inputs["decoder_input_ids"] = model.prepare_decoder_input_ids_from_labels(labels)
    with torch.no_grad():
        outputs = model(**inputs) if "x" not in model.forward.__code__.co_varnames else model(inputs["input"])
    logits = getattr(outputs, "logits", outputs)
    run = fit(model, None, TaskData(data, data), epochs=1, batch_size=16, lr=1e-12, cache=False)
    assert run.curves.valid_loss[0] == pytest.approx(float(loss(logits, labels)), rel=1e-4)
    if metric is None:
        assert run.curves.valid_accuracy[0] != run.curves.valid_accuracy[0]
    else:
        assert run.curves.valid_accuracy[0] == pytest.approx(float(metric(logits, labels)), abs=1e-6)


def test_a_wrapper_of_a_causal_model_is_one():
    expected = fit(gpt(), None, {"input_ids": IDS, "labels": IDS}, epochs=1, cache=False).curves.loss
    wrapped = nn.DataParallel(gpt())
    assert (
        fit(wrapped, None, {"input_ids": IDS, "labels": IDS}, epochs=1, cache=False).curves.loss == expected
    )


class Own(nn.Linear):
    def forward(self, x, y):
        return {"loss": (super().forward(x).sum(1) - y).square().mean()}


@pytest.mark.parametrize("cache", [False, True])
def test_a_model_that_returns_its_loss_needs_no_labels(cache):
    torch.manual_seed(0)
    model = Own(4, 2)
    data = {"x": X, "y": X.sum(1)}
    with torch.no_grad():
        expected = float(model(**data)["loss"])
    run = fit(model, None, TaskData(data, data), epochs=20, lr=0.05, batch_size=16, cache=cache)
    assert run.curves.loss[0] == pytest.approx(expected)
    assert run.curves.valid_loss[-1] < expected / 2


def test_clip_is_trained_on_pictures_and_texts_alone():
    torch.manual_seed(0)
    text = t.CLIPTextConfig(
        **SMALL, vocab_size=20, max_position_embeddings=8, eos_token_id=19, bos_token_id=18
    )
    vision = t.CLIPVisionConfig(**SMALL, image_size=8, patch_size=4)
    model = t.CLIPModel(
        t.CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=8)
    )
    data = {"input_ids": IDS, "pixel_values": torch.randn(16, 3, 8, 8, generator=DRAW)}
    with torch.no_grad():
        expected = float(model.eval()(**data, return_loss=True).loss)
    run = fit(model, None, data, epochs=1, batch_size=16, lr=1e-12)
    assert run.curves.loss == pytest.approx([expected], rel=1e-3)


@pytest.mark.parametrize(
    ("model", "data", "sentence"),
    [
        (head(2), {"input": X}, "no 'labels'.*it has 'input'.*returns its own loss"),
        (
            head(2),
            TaskData((X, CLASSES % 2), {"": X}),
            "validation data have no 'labels', and the training data",
        ),
        (head(3), (X, CLASSES[:, None]), r"whole numbers of shape \(16, 1\).*squeeze\(1\) makes it"),
        (head(3), (X, SEVERAL * 2), r"whole numbers of shape \(16, 3\).*pass `loss`"),
        (
            bert(t.BertForTokenClassification, num_labels=2),
            {"input_ids": IDS, "labels": TAGS},
            "up to class 2",
        ),
    ],
)
def test_what_makes_no_task_gets_a_sentence(model, data, sentence):
    with pytest.raises((ValueError, TypeError), match=sentence):
        fit(model, None, data, epochs=1)
