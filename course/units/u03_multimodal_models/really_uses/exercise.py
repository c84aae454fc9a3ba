"""`really_uses(model, features, labels, modality, generator)` measures how much a model needs a modality.

`features` has a tensor (examples, width) for each modality, and `model(features)` gives scores (examples,
classes). The function returns a float: the accuracy with everything as it is, minus the accuracy when the
rows of `modality` are shuffled among the examples, in an order drawn from `generator`. It measures in
evaluation mode and without gradients, and leaves features, labels and the model (its mode included) as it
found them.

Permutation importance: Breiman, "Random forests" (2001).
"""

from __future__ import annotations

import re

from torch import nn

from graders.checks.compare import difference
from graders.checks.evidence import count_comparison
from graders.checks.mistakes import Catalogue, CheckFailed, Mistake
from graders.checks.programs import functions
from graders.checks.registry import exercise
from graders.checks.running import numbers

from .known_models import Case, known_cases, wide_cases
from .records import Record

# More than six standard deviations of what an honest shuffle of so many examples gives.
_TOLERANCE = 0.07
_NEAR = 0.12  # what a mistake's own program gives
_EXACTLY = 1e-6

MISTAKES = Catalogue(
    __package__,
    Mistake(
        "changed-what-it-was-given",
        "This changes the features or labels that it was given, so the next measurement measures something "
        "else.",
        (
            "Make a new dict for the shuffled features; the old one, and its tensors, stay as they are.",
            "`{**features, modality: ...}`.",
        ),
    ),
    Mistake(
        "measured-in-training-mode",
        "The model was measured in training mode, with dropout on: the accuracies are too low, and different "
        "each time.",
        ("`model.eval()`, before the first call.",),
    ),
    Mistake(
        "mode-not-restored",
        "Afterwards the model, or a part of it, is in a different mode than before. Anyone who trains it "
        "further would not notice.",
        ("Remember `model.training` first; `model.train(...)` restores it.",),
    ),
    Mistake(
        "always-to-training-mode",
        "This leaves the model in training mode even if it came in evaluation mode. Leave it as it was.",
        ("Remember `model.training` first; `model.train(...)` restores it.",),
    ),
    Mistake(
        "gradients-on",
        "The model was called with gradients on, so PyTorch kept everything that a backward pass needs. "
        "Measuring needs none of it.",
        ("`with torch.no_grad():` around the calls of the model.",),
    ),
    Mistake(
        "left-frozen",
        "Afterwards the model's parameters no longer learn. Measuring without gradients should leave the "
        "parameters alone.",
        ("`with torch.no_grad():` in place of `requires_grad_(False)`.",),
    ),
    Mistake(
        "zeros-instead",
        "This puts zeros in place of the modality. No example looks like that, so what the model makes of it "
        "says little. Shuffle the rows, so that each example gets a real one from another example.",
        ("An order of the examples: `torch.randperm(len(labels), generator=generator)`.",),
    ),
    Mistake(
        "mean-instead",
        "This puts the mean in place of the modality, the same row for all. Shuffle the rows, so that each "
        "example gets a real one from another example.",
        ("An order of the examples: `torch.randperm(len(labels), generator=generator)`.",),
    ),
    Mistake(
        "noise-instead",
        "This puts random numbers in place of the modality. The model has never met such rows. Shuffle the "
        "ones that are there, so that each example gets a real one from another example.",
        ("An order of the examples: `torch.randperm(len(labels), generator=generator)`.",),
    ),
    Mistake(
        "numbers-shuffled",
        "This shuffles all numbers of the modality, so that each row is put together from many. Keep the "
        "rows whole, and only let them change places.",
        ("An order of the examples, as long as `labels`, picks whole rows: `rows[order]`.",),
    ),
    Mistake(
        "drawn-with-replacement",
        "This draws a row for each example, so some rows come twice and others not at all. Shuffled rows are "
        "all still there, once each, in another order.",
        ("`torch.randperm` has each place once; `torch.randint` does not.",),
    ),
    Mistake(
        "columns-shuffled",
        "This shuffles the columns within the rows. Each example still has its own numbers, in a meaningless "
        "order: shuffle the rows among the examples.",
        ("Examples are axis 0. An order of them is as long as `labels`.",),
    ),
    Mistake(
        "order-of-another-length",
        "This order is not as long as there are examples. `len(features)` counts modalities, and the second "
        "size of a tensor counts its columns.",
        ("`len(labels)` is the number of examples.",),
    ),
    Mistake(
        "everything-shuffled",
        "This shuffles modalities that it should leave alone, or the labels: accuracy falls even for a "
        "modality that the model never looks at.",
        ("Only the rows of `features[modality]` move. Everything else stays in its place.",),
    ),
    Mistake(
        "labels-too",
        "This shuffles the labels along with the modality, or the other modalities in its place: a model "
        "that reads this one alone loses nothing.",
        ("Shuffle the rows of `features[modality]` alone, and compare with `labels` as they are.",),
    ),
    Mistake(
        "all-together",
        "Nothing falls here, whatever the model reads: both measurements see the same. Either the second "
        "does not get the shuffled rows, or everything is shuffled together, labels too, or accuracy does "
        "not compare each example with its own class.",
        (
            "Does the second call of the model get the new dict? In it, exactly one modality is in another "
            "order.",
            "`argmax(1)` is the class of each example.",
        ),
    ),
    Mistake(
        "sign-reversed",
        "The sign is the wrong way round: a modality that is needed gets a negative number. Return how much "
        "accuracy falls.",
        ("Before minus after.",),
    ),
    Mistake(
        "fall-without-sign",
        "The fall is never below 0 here. A modality can mislead a model: then accuracy rises when it is "
        "shuffled, and the fall is negative.",
        ("Before minus after, without `abs` and `max`.",),
    ),
    Mistake(
        "accuracy-instead",
        "This is the accuracy that is left after shuffling. Return how much was lost.",
        ("Measure the accuracy with everything as it is first, and subtract what is left from it.",),
    ),
    Mistake(
        "taken-from-one",
        "This subtracts the accuracy after shuffling from 1. The model does not get everything right to "
        "begin with: subtract from the accuracy with everything as it is.",
        ("Measure twice, with the same labels.",),
    ),
    Mistake(
        "share-of-what-was-right",
        "This divides the fall by the accuracy before. Return how far accuracy falls, not by what fraction "
        "of it.",
        ("The difference alone.",),
    ),
    Mistake(
        "generator-unused",
        "The order does not depend on `generator`: a generator with the same seed should give the same "
        "answer again, and one with another seed another order.",
        ("`torch.randperm` takes it: `generator=generator`.",),
    ),
)


@exercise(
    number=2,
    points=1,
    title="Does it really use it?",
    functions=("really_uses",),
    mistakes=MISTAKES,
    off_limits=("tlwidgets.train.modalities.measure_modes",),
    narrow=(("parts of model", "such a mutant puts parts back after the call, as a right answer does"),),
)
def check_really_uses(really_uses) -> None:
    """Measure models that are known to read certain modalities.

    Raises:
        CheckFailed: with the mistake it recognises, or what it found.
    """
    draw = numbers()
    cases = known_cases(draw)
    measured = [_measured(really_uses, case) for case in cases]
    found = [fall for fall, _ in measured]
    _check_falls(found, cases)
    for case, (fall, record) in zip(cases, measured, strict=True):
        _check_order(case, fall, record)
    again = [(case.run(really_uses), case.run(really_uses, more=1)) for case in cases]
    if any(abs(other) > _EXACTLY for (_, other), case in zip(again, cases, strict=True) if not case.expected):
        MISTAKES.fail("drawn-with-replacement")  # by chance the same number was right the first time
    repeated = all(one == first for one, (first, _) in zip(found, again, strict=True))
    moved = any(first != other for first, other in again)
    if not (repeated and moved):
        MISTAKES.fail("generator-unused")
    count_comparison()
    for case in wide_cases(draw):
        _check_order(case, *_measured(really_uses, case))


def _check_order(case: Case, fall: float, record: Record) -> None:
    """The modality's rows came in one order, a random one, and this is what accuracy fell by in it."""
    whose = f"`{case.call}`"
    if record.strange:
        raise CheckFailed(
            f"{whose} called the model with rows that it was not given, or that belong to several examples. "
            f"Expected the features as they are, and once more with the rows of {case.modality!r} in another "
            "order."
        )
    if not record.orders:
        raise CheckFailed(
            f"{whose} never called the model with the rows of {case.modality!r} in another order. Expected "
            "two measurements of accuracy: one with everything as it is, one with these rows shuffled."
        )
    if record.orders > 1:
        raise CheckFailed(
            f"{whose} measured the rows of {case.modality!r} in more than one other order. Expected one, "
            "drawn from `generator`."
        )
    if not record.has_each_row_once:
        MISTAKES.fail("drawn-with-replacement")
    if not record.is_random:
        raise CheckFailed(
            f"In {whose} the rows of {case.modality!r} came in an order that is not random: too many of them "
            "kept their places or their neighbours. Draw an order of all examples: "
            "`torch.randperm(len(labels), generator=generator)`."
        )
    exact = case.fall(record.order)
    if exact < -_EXACTLY and abs(fall + exact) <= _EXACTLY:  # too small a rise for `_check_falls` to tell
        MISTAKES.fail("fall-without-sign")
    if abs(fall - exact) > _EXACTLY:
        raise CheckFailed(
            f"In the order that {whose} drew, accuracy falls by {exact:.4f}; it returned {fall:.4f}. "
            "Expected the difference of the two accuracies, each the share of all examples that are right."
        )


def _measured(really_uses, case: Case) -> tuple[float, Record]:
    """One measurement, and the order in it; raises if it did not leave everything as it was."""
    model, before = case.model, _state(case.model)
    features, labels = {name: rows.clone() for name, rows in case.features.items()}, case.labels.clone()
    found = _run(really_uses, case)
    if difference(case.features, features, "features") or difference(case.labels, labels, "labels"):
        MISTAKES.fail("changed-what-it-was-given")
    after = _state(model)
    if after["modes"] != before["modes"]:
        MISTAKES.fail("mode-not-restored" if model.training is not True else "always-to-training-mode")
    if before["learns"] and not after["learns"]:
        MISTAKES.fail("left-frozen")
    if difference(after, before, ""):
        raise CheckFailed(
            "`really_uses` changed the model. Expected it to measure only: weights, modes and gradients stay."
        )
    if model.in_training:
        MISTAKES.fail("measured-in-training-mode")
    if model.with_gradients:
        MISTAKES.fail("gradients-on")
    return found, case.record()


def _run(really_uses, case: Case) -> float:
    """What it returns. PyTorch's complaint about sizes shows that an order was too short or too long."""
    try:
        return case.run(really_uses)
    except CheckFailed as failed:
        examples, width = case.features[case.modality].shape[:2]
        cause, sizes = failed.__cause__, set(map(int, re.findall(r"\d+", str(failed.__cause__))))
        mismatch = isinstance(cause, (RuntimeError, IndexError)) and re.search(r"size|bounds", str(cause))
        short = examples in sizes and {len(case.features), width} & sizes
        if mismatch and (short or "out of bounds" in str(cause)):
            MISTAKES.fail("order-of-another-length")
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
        count_comparison(len(cases))
        return
    _recognise(found, cases)
    one, case = max(zip(found, cases, strict=True), key=lambda pair: abs(pair[0] - pair[1].expected))
    raise CheckFailed(
        f"Of a model that reads {' and '.join(case.uses)}, `{case.call}` is {one:.3f}, and "
        f"{'about ' if case.expected else ''}{case.expected:.3f} was expected."
    )


def _recognise(found: list[float], cases: list[Case]) -> None:
    """Raise the mistake whose program gives the closest falls, if they are close in every case.

    A program that is too far away in one case is not run on the others.
    """
    closest, near = "", _NEAR
    for id, source in MISTAKES.programs.items():
        (program,) = functions(source, ("really_uses",), id)
        theirs: list[float] = []
        try:
            for one, case in zip(found, cases, strict=True):
                theirs.append(case.fresh().run(program))
                if abs(one - theirs[-1]) > near:
                    break
        except CheckFailed:  # it stops, and the student's did not
            continue
        if len(theirs) < len(cases) or _fit(theirs, cases):
            continue
        gap = max(abs(one - other) for one, other in zip(found, theirs, strict=True))
        if not closest or gap < near:  # of equals, the first
            closest, near = id, gap
    if closest:
        MISTAKES.fail(closest)


def _fit(found: list[float], cases: list[Case]) -> bool:
    """Whether these falls are right: exactly 0 where no order costs anything, and otherwise close."""
    off = [one - case.expected for one, case in zip(found, cases, strict=True)]
    falls = [gap for gap, case in zip(off, cases, strict=True) if case.expected]
    stays = [gap for gap, case in zip(off, cases, strict=True) if not case.expected]
    return (
        max(map(abs, stays)) <= _EXACTLY
        and max(map(abs, falls)) <= _TOLERANCE
        and abs(sum(falls) / len(falls)) <= _TOLERANCE / 2  # the same number of deviations: there are four
    )
