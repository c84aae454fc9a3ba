"""The engine against a plain PyTorch loop and the Hugging Face `Trainer`: feature extraction, and the last
two layers.

All train the course's text model on the same 1,000 film snippets, in batches of 16, with the same rate, on
the CPU, in one run; what is compared is wall-clock time from the first line of training code to the last, the
feature pass included. The plain loop gets the very batches that the engine trains on (sorted by length within
groups), with the frozen layers in `eval` under `no_grad`; its losses are compared with the engine's.
`Trainer` is set up as its documentation does: dynamic padding by `DataCollatorWithPadding`, frozen by
`requires_grad`.

Engine and `Trainer` run over five seeds, and seconds are medians. What an epoch costs `Trainer` and the plain
loops does not change from epoch to epoch, so they train two, and the others are added at the cost of the
second. With `whole` they train all, and `*_difference` is the mean of the paired differences of test accuracy
in points with its 95 % interval, which has to contain 0 for a fair ratio.
`*_half` are features in half precision (`FeatureCache(half=True)`): near the exact ones, and quicker where
the processor has instructions for it.

The plain loop's optimizer is AdamW as PyTorch hands it out; the engine takes the fused one, which makes the
same step in one pass over memory. `last2_vs_plain_fused` has it in the plain loop, too: what the feature
cache alone brings.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time

import torch
from torch import nn

from course.units.u01_transfer_learning import experiments as lesson01
from tlwidgets.core import FreezePlan, apply_plan
from tlwidgets.data import task_data
from tlwidgets.models import mean_pool
from tlwidgets.train import FeatureCache, Started, Stepped, TaskData, fit
from tlwidgets.train.arena_result import interval
from tlwidgets.train.data import Split

TEXTS, TEST, BATCH, WIDTH, SEEDS = 1000, 400, 16, 64, (0, 1, 2, 3, 4)
FEW = 2  # epochs of a peer
HEAD = {"epochs": 20, "lr": 1e-3}
LAST2 = {"epochs": 10, "lr": 5e-5}


def measure(whole: bool = False) -> dict[str, float]:
    """`fx_vs_plain`, `fx_vs_trainer`, `last2_vs_plain`, `last2_vs_trainer`, `warm_vs_cold`; what is behind
    them. With `whole`, peers train all their epochs."""
    figures: dict[str, float] = {}
    for name, preset, options, recipe, ways in (
        ("fx", "feature-extraction", {}, HEAD, (_engine, _half, _plain, _trainer)),
        ("last2", "last", {"k": 2}, LAST2, (_engine, _plain, _plain_fused, _trainer)),
    ):
        took: dict = {way: [] for way in ways}
        right: dict = {way: [] for way in ways}
        for seed in SEEDS:
            losses = {}
            for way in ways:
                if way in (_plain, _plain_fused) and seed:
                    continue  # the same losses as the engine's, asserted below
                data, tokenizer = film_data(seed)
                model, _ = lesson01.classifier(from_scratch=False, seed=seed)
                plan = FreezePlan.preset(model, preset, **options)
                apply_plan(model, plan)
                few = way not in (_engine, _half) and not whole
                clock = _Clock()
                epochs = FEW if few else recipe["epochs"]
                losses[way] = way(model, plan, data, tokenizer, seed, clock, **{**recipe, "epochs": epochs})
                took[way].append(clock.seconds(recipe["epochs"]) if few else clock.so_far())
                if not few:
                    right[way].append(_accuracy(model, data))
                print(f"  {name}, seed {seed}, {way.__name__[1:]}: {took[way][-1]:.1f} s", file=sys.stderr)
            if _plain in losses:  # the same work, or the ratio means nothing
                one, other = (torch.tensor(losses[way]) for way in (_engine, _plain))
                torch.testing.assert_close(one[: len(other)], other, rtol=1e-3, atol=1e-5)
        for way in ways:
            figures[f"{name}{way.__name__}_s"] = statistics.median(took[way])
            if right[way]:
                figures[f"{name}{way.__name__}_accuracy"] = statistics.fmean(right[way])
        engine = took[_engine]
        for way in (_plain, _plain_fused):
            if way in ways:  # beside the engine's run of the same seed
                figures[f"{name}_vs{way.__name__}"] = took[way][0] / engine[0]
        figures |= _against_trainer(name, took, right, _engine)
        if _half in ways:
            figures |= _against_trainer(f"{name}_half", took, right, _half)
    return figures | _warm_vs_cold(film_data(SEEDS[0])[0])


class _Clock:
    """Seconds since it was made, and at the end of each epoch."""

    def __init__(self) -> None:
        self._start, self._ends = time.perf_counter(), []

    def so_far(self) -> float:
        return time.perf_counter() - self._start

    def end_epoch(self) -> None:
        self._ends.append(self.so_far())

    def seconds(self, epochs: int) -> float:
        """What so many epochs take, if those after the last take as long as it did."""
        *_, before, last = self._ends
        return last + (epochs - len(self._ends)) * (last - before)


def _against_trainer(name: str, took: dict, right: dict, way) -> dict[str, float]:
    ratios = [theirs / ours for theirs, ours in zip(took[_trainer], took[way], strict=True)]
    if not right[_trainer]:
        return {f"{name}_vs_trainer": statistics.median(ratios)}
    points = [100 * (ours - theirs) for theirs, ours in zip(right[_trainer], right[way], strict=True)]
    low, high = interval(points)
    return {
        f"{name}_vs_trainer": statistics.median(ratios),
        f"{name}_vs_trainer_difference": statistics.fmean(points),
        f"{name}_vs_trainer_difference_low": low,
        f"{name}_vs_trainer_difference_high": high,
    }


def film_data(seed: int) -> tuple[TaskData, object]:
    """Film snippets and the tokenizer that made numbers of them."""
    _, tokenizer = lesson01.classifier(from_scratch=False, seed=seed)
    return task_data(lesson01.film_split(seed, train=TEXTS, test=TEST), tokenizer, WIDTH), tokenizer


def _half(model, plan, data, tokenizer, seed, clock, **recipe) -> list[float]:
    return train_with_engine(model, plan, data, seed, half=True, **recipe)


def _engine(model, plan, data, tokenizer, seed, clock, **recipe) -> list[float]:
    return train_with_engine(model, plan, data, seed, **recipe)


def train_with_engine(model, plan, data, seed: int, *, epochs: int, lr: float, half=False) -> list[float]:
    """Train on features that are kept; the loss of each step."""
    run = fit(
        model,
        plan,
        TaskData(data.train),
        epochs=epochs,
        batch_size=BATCH,
        lr=lr,
        schedule="constant",
        warmup=0.0,
        seed=seed,
        device="cpu",
        group_by_length=True,
        cache=FeatureCache(half=half),
    )
    assert run.cached, run.cache
    return run.curves.loss


def _plain_fused(model, plan, data, tokenizer, seed, clock, **recipe) -> list[float]:
    return _plain(model, plan, data, tokenizer, seed, clock, fused=True, **recipe)


def _plain(model, plan, data, tokenizer, seed, clock, *, epochs, lr, fused=None) -> list[float]:
    train = Split(data.train, "training", torch.device("cpu"))
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=lr, weight_decay=0.01, fused=fused)
    order = torch.Generator().manual_seed(seed)
    layers = list(model.backbone.encoder.layer)
    frozen = [layer for layer in layers if not any(p.requires_grad for p in layer.parameters())]
    losses = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for _ in range(epochs):
            model.train()
            for part in (model.backbone.embeddings, *frozen):
                part.eval()
            for index in train.shuffled(BATCH, order, by_length=True):
                batch = train.take(index)
                outputs = _forward(model, frozen, batch.inputs)
                loss = nn.functional.cross_entropy(outputs, batch.labels)
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
                losses.append(loss.item())
            clock.end_epoch()
    return losses


def _forward(model, frozen, inputs):
    """As one writes it by hand: what is frozen under `no_grad`, the rest as ever."""
    backbone = model.backbone
    if len(frozen) == len(backbone.encoder.layer):
        with torch.no_grad():
            hidden = backbone(**inputs).last_hidden_state
        return model.head(mean_pool(hidden, inputs["attention_mask"]))
    return model(**inputs)  # autograd starts at the first layer that learns by itself


class _WithLoss(nn.Module):
    """What `Trainer` calls: labels in, loss out."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask=None, labels=None):
        logits = self.model(input_ids, attention_mask)
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def _trainer(model, plan, data, tokenizer, seed, clock, *, epochs, lr) -> None:
    from transformers import DataCollatorWithPadding, Trainer, TrainerCallback, TrainingArguments

    class EndOfEpoch(TrainerCallback):
        def on_epoch_end(self, *args, **kwargs) -> None:
            clock.end_epoch()

    mask = data.train["attention_mask"]
    rows = [
        {"input_ids": ids[: int(seen.sum())].tolist(), "labels": int(label)}
        for ids, seen, label in zip(data.train["input_ids"], mask, data.train["labels"], strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=BATCH,
            num_train_epochs=epochs,
            learning_rate=lr,
            lr_scheduler_type="constant",
            weight_decay=0.01,
            use_cpu=True,
            seed=seed,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
            logging_strategy="no",
        )
        Trainer(
            model=_WithLoss(model),
            args=arguments,
            train_dataset=rows,
            data_collator=DataCollatorWithPadding(tokenizer),
            callbacks=[EndOfEpoch()],
        ).train()


def _accuracy(model, data) -> float:
    test = Split(data.test, "test", torch.device("cpu"))
    model.eval()
    right = 0
    with torch.no_grad():
        for index in test.by_length(64):
            batch = test.take(index)
            right += int((model(**batch.inputs).argmax(1) == batch.labels).sum())
    return right / test.size


def _warm_vs_cold(data) -> dict[str, float]:
    """Time to the first step of a run with the last two layers, with an empty cache and with a filled one."""
    cache, seconds = FeatureCache(), []
    for _ in range(2):
        model, _ = lesson01.classifier(from_scratch=False, seed=SEEDS[0])
        plan = FreezePlan.preset(model, "last", k=2)
        moments = {}

        def note(event, moments=moments):
            if isinstance(event, (Started, Stepped)):
                moments.setdefault(type(event), time.perf_counter() - getattr(event, "seconds", 0.0))

        fit(
            model, plan, TaskData(data.train), epochs=2, batch_size=BATCH, lr=5e-5, cache=cache, on_event=note
        )
        seconds.append(moments[Stepped] - moments[Started])
    return {"cold_s": seconds[0], "warm_s": seconds[1], "warm_vs_cold": seconds[0] / seconds[1]}
