"""Exercise 2: `really_uses(model, features, labels, modality, generator)` asks how much a model needs a modality.

`features` has a tensor (examples, width) a modality, and `model(features)` gives scores (examples, classes). The function
returns a float: the accuracy with everything as it is, minus the accuracy when the rows of `modality` are shuffled among the
examples, in an order drawn from `generator`. It measures in evaluation mode and without gradients, and leaves features,
labels and the model, its mode included, as it found them.

Permutation importance: Breiman, "Random forests" (2001).
"""

from __future__ import annotations

import re

from torch import nn

from ..compare import difference
from ..evidence import held
from ..mistakes import Catalogue, CheckFailed, Exercise, Mistake
from ..programs import functions
from ..running import numbers, quiet
from .known_models import Case, known_cases

# Six standard deviations of what an honest shuffle of so many examples gives, and more.
_TOLERANCE = 0.06
_EXACTLY = 1e-6


def _program(
    mode: str = "model.eval()",
    gradients: str = "torch.no_grad()",
    order: str = "torch.randperm(len(labels), generator=generator)",
    shuffled: str = "{**features, modality: features[modality][order]}",
    whole: str = "(model(features).argmax(1) == labels).float().mean().item()",
    less: str = "(model(shuffled).argmax(1) == labels).float().mean().item()",
    back: str = "model.train(was)",
    result: str = "whole - less",
) -> str:
    return (
        "def really_uses(model, features, labels, modality, generator):\n"
        "    was = model.training\n"
        f"    {mode}\n"
        f"    with {gradients}:\n"
        f"        whole = {whole}\n"
        f"        order = {order}\n"
        f"        shuffled = {shuffled}\n"
        f"        less = {less}\n"
        f"    {back}\n"
        f"    return {result}\n"
    )


_EACH = "{{name: {0} for name, rows in features.items()}}"
_ONE = "{{**features, modality: {0}}}"

_CATALOGUE = Catalogue(
    Mistake(
        "changed-what-it-was-given",
        "This changes the features or labels that it was given, so whoever measures next measures something else.",
        (
            "Make a new dict for the shuffled features; the old one, and its tensors, stay as they are.",
            "`{**features, modality: ...}`.",
        ),
        _program(shuffled="features\n        features[modality] = features[modality][order]"),
    ),
    Mistake(
        "measured-in-training-mode",
        "The model was measured in training mode, with dropout on: the numbers are too low, and different each time.",
        ("`model.eval()`, before the first call.",),
        _program(mode="pass"),
    ),
    Mistake(
        "mode-not-restored",
        "After this the model, or a part of it, is in another mode than before. Whoever goes on training it would not notice.",
        ("Remember `model.training` first; `model.train(...)` takes it back.",),
        _program(back="pass"),
    ),
    Mistake(
        "always-to-training-mode",
        "This leaves the model in training mode even when it came in evaluation mode. It should be as it was.",
        ("Remember `model.training` first; `model.train(...)` takes it back.",),
        _program(back="model.train()"),
    ),
    Mistake(
        "gradients-on",
        "The model was called with gradients on, so PyTorch kept all that a backward pass needs. Measuring needs none of it.",
        ("`with torch.no_grad():` around the calls of the model.",),
        _program(gradients="torch.enable_grad()"),
    ),
    Mistake(
        "left-frozen",
        "After this the model's parameters don't learn any more. Measuring without gradients leaves the parameters alone.",
        ("`with torch.no_grad():` in place of `requires_grad_(False)`.",),
        _program(mode="model.eval().requires_grad_(False)"),
    ),
    Mistake(
        "zeros-instead",
        "This puts zeros in place of the modality. No example looks like that, and what a model makes of it says little: shuffle "
        "the rows, so that each example gets a real one, of another example.",
        ("An order of the examples: `torch.randperm(len(labels), generator=generator)`.",),
        _program(shuffled=_ONE.format("0 * features[modality][order]")),
    ),
    Mistake(
        "mean-instead",
        "This puts the mean in place of the modality. That is one row for all: shuffle the rows, so that each example gets a "
        "real one, of another example.",
        ("An order of the examples: `torch.randperm(len(labels), generator=generator)`.",),
        _program(
            shuffled=_ONE.format(
                "features[modality][order].mean(0, keepdim=True).expand_as(features[modality])"
            )
        ),
    ),
    Mistake(
        "noise-instead",
        "This puts random numbers in place of the modality. The model has never met such rows: shuffle those that there are, so "
        "that each example gets a real one, of another example.",
        ("An order of the examples: `torch.randperm(len(labels), generator=generator)`.",),
        _program(shuffled=_ONE.format("torch.randn(features[modality].shape, generator=generator)")),
    ),
    Mistake(
        "numbers-shuffled",
        "This shuffles all numbers of the modality, so that each row is put together from many. Rows stay whole, and only change "
        "places.",
        ("An order of the examples, as long as `labels`, picks whole rows: `rows[order]`.",),
        _program(
            shuffled=_ONE.format(
                "features[modality].flatten()[torch.randperm(features[modality].numel(), generator=generator)]"
                ".view_as(features[modality])"
            )
        ),
    ),
    Mistake(
        "drawn-with-replacement",
        "This draws a row for each example, so that some rows come twice and others not at all. Shuffled rows are all there, "
        "once each, in another order.",
        ("`torch.randperm` has each place once, `torch.randint` has not.",),
        _program(order="torch.randint(len(labels), labels.shape, generator=generator)"),
    ),
    Mistake(
        "columns-shuffled",
        "This shuffles the columns, within the rows. Each example still has its own numbers, in an order that means nothing: "
        "shuffle the rows among the examples.",
        ("Examples are axis 0. An order of them is as long as `labels`.",),
        _program(
            shuffled=_ONE.format(
                "features[modality][:, torch.randperm(features[modality].shape[1], generator=generator)]"
            )
        ),
    ),
    Mistake(
        "order-of-another-length",
        "This order is not as long as there are examples. `len(features)` counts modalities, and the second size of a tensor its "
        "columns.",
        ("`len(labels)` is the number of examples.",),
        _program(order="torch.randperm(len(features), generator=generator)"),
    ),
    Mistake(
        "everything-shuffled",
        "This shuffles modalities that it should leave alone, or the labels: accuracy falls even for a modality that the model "
        "never looks at.",
        ("Only the rows of `features[modality]` move. Everything else stays in its place.",),
        _program(shuffled=_EACH.format("rows[order]")),
    ),
    Mistake(
        "labels-too",
        "This shuffles the labels along with the modality, or the other modalities in its place: what reads this one alone loses "
        "nothing.",
        ("Shuffle the rows of `features[modality]` alone, and compare with `labels` as they are.",),
        _program(less="(model(shuffled).argmax(1) == labels[order]).float().mean().item()"),
    ),
    Mistake(
        "all-together",
        "Nothing falls here, whatever the model reads: both measurements see the same. Either the second does not get the "
        "shuffled rows, or all is shuffled together, labels too, or accuracy is not that of each example's own class.",
        (
            "Does the second call of the model get the new dict? In it, one modality alone is in another order.",
            "`argmax(1)` is the class of each example.",
        ),
        _program(
            shuffled=_EACH.format("rows[order]"),
            less="(model(shuffled).argmax(1) == labels[order]).float().mean().item()",
        ),
    ),
    Mistake(
        "sign-reversed",
        "The sign is the wrong way round: a modality that is needed gets a negative number. How much accuracy falls was asked "
        "for.",
        ("Before minus after.",),
        _program(result="less - whole"),
    ),
    Mistake(
        "fall-without-sign",
        "The fall is never below 0 here. A modality can mislead a model: accuracy rises when it is shuffled, and the fall is "
        "negative.",
        ("Before minus after, without `abs` and `max`.",),
        _program(result="abs(whole - less)"),
    ),
    Mistake(
        "accuracy-instead",
        "This is the accuracy that is left after shuffling. How much was lost was asked for.",
        ("The accuracy with everything as it is comes first; take what is left away from it.",),
        _program(result="less"),
    ),
    Mistake(
        "taken-from-one",
        "This takes the accuracy after shuffling away from 1. The model does not get everything right to begin with: take it "
        "away from the accuracy with everything as it is.",
        ("Measure twice, with the same labels.",),
        _program(result="1 - less"),
    ),
    Mistake(
        "share-of-what-was-right",
        "This divides the fall by the accuracy before. How much accuracy falls was asked for, not which part of it.",
        ("The difference alone.",),
        _program(result="(whole - less) / whole"),
    ),
    Mistake(
        "generator-unused",
        "The order does not depend on `generator`: a generator of the same seed should give the same answer again, and one of "
        "another seed another order.",
        ("`torch.randperm` takes it: `generator=generator`.",),
        _program(order="torch.randperm(len(labels))"),
    ),
)


@quiet
def check_really_uses(really_uses) -> None:
    """Measure models of which it is known what they read.

    Raises:
        CheckFailed: with the mistake it looks like.
    """
    cases = known_cases(numbers())
    found = [_measured(really_uses, case) for case in cases]
    _check_falls(found, cases)
    again = [(case.run(really_uses), case.run(really_uses, more=1)) for case in cases]
    if any(abs(other) > _EXACTLY for (_, other), case in zip(again, cases, strict=True) if not case.expected):
        _CATALOGUE.fail("drawn-with-replacement")  # by chance as many were right the first time
    repeated = all(one == first for one, (first, _) in zip(found, again, strict=True))
    moved = any(first != other for first, other in again)
    if not (repeated and moved):
        _CATALOGUE.fail("generator-unused")
    held()


def _measured(really_uses, case: Case) -> float:
    """One measurement, and all that it should have left alone."""
    model, before = case.model, _state(case.model)
    features, labels = {name: rows.clone() for name, rows in case.features.items()}, case.labels.clone()
    found = _run(really_uses, case)
    if difference(case.features, features, "features") or difference(case.labels, labels, "labels"):
        _CATALOGUE.fail("changed-what-it-was-given")
    after = _state(model)
    if after["modes"] != before["modes"]:
        _CATALOGUE.fail("mode-not-restored" if model.training is not True else "always-to-training-mode")
    if before["learns"] and not after["learns"]:
        _CATALOGUE.fail("left-frozen")
    if difference(after, before, ""):
        raise CheckFailed(
            "`really_uses` changed the model. Expected it to measure only: weights, modes and gradients stay."
        )
    if model.in_training:
        _CATALOGUE.fail("measured-in-training-mode")
    if model.with_gradients:
        _CATALOGUE.fail("gradients-on")
    return found


def _run(really_uses, case: Case) -> float:
    """What it gives; an order that is too short or too long is told by the sizes that PyTorch then complains of."""
    try:
        return case.run(really_uses)
    except CheckFailed as failed:
        examples, width = case.features[case.modality].shape
        cause, sizes = failed.__cause__, map(int, re.findall(r"\d+", str(failed.__cause__)))
        mismatch = isinstance(cause, (RuntimeError, IndexError)) and re.search(r"size|bounds", str(cause))
        if mismatch and ({len(case.features), width} & set(sizes) or "out of bounds" in str(cause)):
            _CATALOGUE.fail("order-of-another-length")
        raise


def _state(model: nn.Module) -> dict[str, object]:
    return {
        "modes": [module.training for module in model.modules()],
        "learns": all(parameter.requires_grad for parameter in model.parameters()),
        "gradients": [parameter.grad is None for parameter in model.parameters()],
        "values": {name: value.detach().clone() for name, value in model.state_dict().items()},
    }


def _check_falls(found: list[float], cases: list[Case]) -> None:
    if _fit(found, cases):
        held(len(cases))
        return
    _recognise(found, cases)
    one, case = max(zip(found, cases, strict=True), key=lambda pair: abs(pair[0] - pair[1].expected))
    raise CheckFailed(
        f"Of a model that reads {' and '.join(case.uses)}, `{case.call}` is {one:.3f}, and "
        f"{'about ' if case.expected else ''}{case.expected:.3f} was expected."
    )


def _recognise(found: list[float], cases: list[Case]) -> None:
    """Raise the mistake whose program, of those that get falls wrong, comes closest, if it comes close in every case."""
    gaps = {}
    for mistake in _CATALOGUE.mistakes:
        (program,) = functions(mistake.wrong, ("really_uses",), mistake.id)
        try:
            theirs = [case.fresh().run(program) for case in cases]
        except CheckFailed:  # it stops, and what was found did not
            continue
        if _fit(theirs, cases):
            continue
        gaps[mistake.id] = max(abs(one - other) for one, other in zip(found, theirs, strict=True))
    closest = min(gaps, key=gaps.get)
    if gaps[closest] <= 2 * _TOLERANCE:
        _CATALOGUE.fail(closest)


def _fit(found: list[float], cases: list[Case]) -> bool:
    """Exactly nothing where no order takes anything away; else about what a random one does, each and in the mean."""
    off = [one - case.expected for one, case in zip(found, cases, strict=True)]
    falls = [gap for gap, case in zip(off, cases, strict=True) if case.expected]
    stays = [gap for gap, case in zip(off, cases, strict=True) if not case.expected]
    return (
        max(map(abs, stays)) <= _EXACTLY
        and max(map(abs, falls)) <= _TOLERANCE
        and abs(sum(falls) / len(falls)) <= _TOLERANCE / 2  # as many deviations: there are four
    )


REALLY_USES = Exercise(
    id="really-uses",
    unit="03-multimodal-models",
    points=1,
    title="Does it really use it?",
    functions=("really_uses",),
    check=check_really_uses,
    mistakes=_CATALOGUE.mistakes,
    right=(
        _program(),
        "@torch.no_grad()\n"
        "def really_uses(model, features, labels, modality, generator):\n"
        "    def accuracy(features):\n"
        "        return float((model(features).argmax(1) == labels).double().mean())\n\n"
        "    mode = model.training\n"
        "    model.train(False)\n"
        "    before = accuracy(features)\n"
        "    shuffled = dict(features)\n"
        "    order = torch.rand(len(labels), generator=generator).argsort()\n"
        "    shuffled[modality] = features[modality].index_select(0, order)\n"
        "    after = accuracy(shuffled)\n"
        "    model.train(mode)\n"
        "    return before - after\n",
        "def really_uses(model, features, labels, modality, generator):\n"
        "    import copy\n\n"
        "    judge = copy.deepcopy(model).eval()\n"
        "    order = torch.randperm(len(labels), generator=generator)\n"
        "    with torch.inference_mode():\n"
        "        right = judge(features).argmax(1) == labels\n"
        "        still = judge({**features, modality: features[modality][order]}).argmax(1) == labels\n"
        "    return (right.sum().item() - still.sum().item()) / len(labels)\n",
    ),
)
