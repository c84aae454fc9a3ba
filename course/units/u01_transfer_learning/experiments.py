"""Lesson 01: what a frozen, pretrained backbone brings to a new task.

The target task is the sentiment of film snippets; the source task is the backbone's own (see
`tlwidgets.models`). Probes: G. Alain and Y. Bengio (2016), Understanding intermediate layers using linear
classifier probes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from course.claims import Claim, Lesson, share_right
from tlwidgets.data import Sentences, SentenceSplit, encode, load_sentences, split_sentences, task_data
from tlwidgets.models import load_text_backbone

if TYPE_CHECKING:
    import numpy as np
    from torch import nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from tlwidgets.core import AuditReport
    from tlwidgets.train import Run, TrainOptions

CLASSES = 2
TRAIN, TEST = 200, 600
FEW = 100
MAX_LENGTH = 32
# Passes over the data and batch size are the same for both; the rate is the best of a small grid for each.
HEAD_RECIPE: TrainOptions = {"epochs": 5, "batch_size": 16, "lr": 1e-2}
SCRATCH_RECIPE: TrainOptions = {"epochs": 5, "batch_size": 16, "lr": 3e-4}


@dataclass(frozen=True)
class Probes:
    """Accuracy of a linear probe on each layer's output; the first is the embeddings'."""

    sentiment: tuple[float, ...]
    length: tuple[float, ...]


def film_split(seed: int, *, train: int = TRAIN, valid: int = 0, test: int = TEST) -> SentenceSplit:
    """The lesson's film snippets, half positive and half negative, split by source."""
    return split_sentences(load_sentences("film"), train=train, valid=valid, test=test, seed=seed)


def layer_vectors(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, sentences: Sentences, batch_size: int = 50
) -> np.ndarray:
    """The mean vector of each sentence after the embeddings and after each layer.

    Returns an array (layers + 1, sentences, width); the model is put in evaluation mode.
    """
    import torch

    from tlwidgets.models import mean_pool

    batch = encode(sentences, tokenizer, MAX_LENGTH)
    model.eval()
    parts = []
    with torch.no_grad():
        for start in range(0, len(sentences), batch_size):
            ids = batch["input_ids"][start : start + batch_size]
            mask = batch["attention_mask"][start : start + batch_size]
            states = model(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
            parts.append(torch.stack([mean_pool(state, mask) for state in states]))
    return torch.cat(parts, dim=1).numpy()


def probe_layers(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, split: SentenceSplit) -> Probes:
    """`probe_vectors` of what this model puts out after each layer."""
    train, test = (layer_vectors(model, tokenizer, part) for part in (split.train, split.test))
    return probe_vectors(train, test, split)


def probe_vectors(train: np.ndarray, test: np.ndarray, split: SentenceSplit) -> Probes:
    """How well a straight line reads two things off each layer: the sentiment, and long or short.

    `train` and `test` are the `layer_vectors` of the split's parts. A sentence is long when it has more words
    than the median of the training sentences. Probes are logistic regressions on standardised vectors,
    trained on `train` and scored on `test`.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    words = [np.array([len(text.split()) for text in part.texts]) for part in (split.train, split.test)]
    long = [count > np.median(words[0]) for count in words]

    def accuracies(train_labels, test_labels) -> tuple[float, ...]:
        scores = []
        for x, x_test in zip(train, test, strict=True):
            probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
            scores.append(float(probe.fit(x, train_labels).score(x_test, test_labels)))
        return tuple(scores)

    return Probes(
        sentiment=accuracies(split.train.labels, split.test.labels),
        length=accuracies(*long),
    )


def classifier(*, from_scratch: bool, seed: int) -> tuple[nn.Module, PreTrainedTokenizerBase]:
    """Backbone and a new head for two classes, and the tokenizer; `seed` draws what is random in it."""
    import torch

    from tlwidgets.models import TextClassifier

    backbone, tokenizer = load_text_backbone("minilm", from_scratch=from_scratch, seed=seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = torch.nn.Linear(backbone.config.hidden_size, CLASSES)
    return TextClassifier(backbone, head), tokenizer


def frozen_backbone(split: SentenceSplit, seed: int) -> tuple[Run, AuditReport]:
    """Feature extraction: pretrained, everything frozen but the head. The audit covers the whole training."""
    from tlwidgets.core import FreezePlan, apply_plan, audit
    from tlwidgets.train import fit

    model, tokenizer = classifier(from_scratch=False, seed=seed)
    plan = FreezePlan.preset(model, "feature-extraction")
    apply_plan(model, plan)
    watch = audit(model, plan)
    options: TrainOptions = {**HEAD_RECIPE, "seed": seed}
    run = fit(model, plan, task_data(split, tokenizer, MAX_LENGTH), **options)
    return run, watch.report()


def from_scratch(split: SentenceSplit, seed: int, passes: int = 1) -> Run:
    """The same architecture from random weights, all of it trained, `passes` times as long."""
    from tlwidgets.core import FreezePlan
    from tlwidgets.train import fit

    model, tokenizer = classifier(from_scratch=True, seed=seed)
    plan = FreezePlan.preset(model, "full")
    epochs = passes * SCRATCH_RECIPE["epochs"]
    options: TrainOptions = {**SCRATCH_RECIPE, "epochs": epochs, "seed": seed}
    return fit(model, plan, task_data(split, tokenizer, MAX_LENGTH), **options)


def result(plan: str, run: Run) -> dict:
    """A run as one line of a table of results: what `choose_plan` of the lesson's last exercise reads.

    The training accuracy is the mean over the steps of the last pass.
    """
    last = run.curves.accuracy[-(run.steps // run.config["epochs"]) :]
    return {
        "plan": plan,
        "seed": run.config["seed"],
        "train_accuracy": round(sum(last) / len(last), 3),
        "valid_accuracy": round(run.curves.valid_accuracy[-1], 3),
        "test_accuracy": round(share_right(run), 3),
        "trainable": run.costs.trainable,
    }


def fewer(split: SentenceSplit, size: int = FEW) -> SentenceSplit:
    """The same split with only `size` training sentences, as many positive as negative."""
    labels = split.train.labels
    keep = [i for label in (0, 1) for i in [j for j, y in enumerate(labels) if y == label][: size // 2]]
    return SentenceSplit(train=split.train.take(sorted(keep)), valid=split.valid, test=split.test)


def measure_transfer(seed: int) -> dict[str, float]:
    """Held-out accuracy of each way, as a fraction, and how many frozen tensors changed."""
    split = film_split(seed)
    run, report = frozen_backbone(split, seed)
    few, few_report = frozen_backbone(fewer(split), seed)
    return {
        "frozen": share_right(run),
        "frozen with few": share_right(few),
        "scratch": share_right(from_scratch(split, seed)),
        "scratch, twice as long": share_right(from_scratch(split, seed, passes=2)),
        "frozen tensors changed": float(len(report.violations) + len(few_report.violations)),
    }


def measure_probes(seed: int) -> dict[str, float]:
    """Probe accuracies: the embeddings, the mean of the later half of the layers, and the last one."""
    split = film_split(seed)
    model, tokenizer = load_text_backbone("minilm")
    pretrained = probe_layers(model, tokenizer, split)
    untrained, _ = load_text_backbone("minilm", from_scratch=True, seed=seed)
    random = probe_layers(untrained, tokenizer, split)
    later = pretrained.sentiment[1 + len(pretrained.sentiment) // 2 :]
    return {
        "sentiment, embeddings": pretrained.sentiment[0],
        "sentiment, later layers": sum(later) / len(later),
        "length, embeddings": pretrained.length[0],
        "length, last layer": pretrained.length[-1],
        "length, last layer, random weights": random.length[-1],
    }


LESSON = Lesson(
    id="01",
    experiments={"transfer": measure_transfer, "probes": measure_probes},
    claims=(
        Claim(
            "frozen-beats-scratch",
            "01",
            "A frozen pretrained backbone with a trained head labels held-out film snippets better than the "
            f"same architecture from scratch: the same {TRAIN} sentences, passes and batch size, each with "
            "the best rate of a small grid.",
            "transfer",
            "frozen",
            "scratch",
        ),
        Claim(
            "frozen-beats-longer-scratch",
            "01",
            "The frozen backbone stays ahead when training from scratch gets twice the passes.",
            "transfer",
            "frozen",
            "scratch, twice as long",
        ),
        Claim(
            "few-beat-many",
            "01",
            f"The frozen backbone with {FEW} sentences beats training from scratch with {TRAIN}.",
            "transfer",
            "frozen with few",
            "scratch",
        ),
        Claim(
            "frozen-is-unchanged",
            "01",
            "After training, no weight and no buffer of the frozen backbone has changed by a single bit.",
            "transfer",
            "frozen tensors changed",
            unit="tensors",
        ),
        Claim(
            "meaning-comes-late",
            "01",
            "A linear probe reads sentiment better off the later half of the layers (their mean) than off "
            "the embeddings.",
            "probes",
            "sentiment, later layers",
            "sentiment, embeddings",
        ),
        Claim(
            "form-fades",
            "01",
            "A linear probe tells long from short sentences better at the embeddings than at the last layer.",
            "probes",
            "length, embeddings",
            "length, last layer",
        ),
        Claim(
            "negative-transfer",
            "01",
            "For telling long from short, the last layer of an untrained network serves better than that of "
            "the pretrained one: negative transfer.",
            "probes",
            "length, last layer, random weights",
            "length, last layer",
        ),
    ),
)
