"""A switchboard of modalities as plain data: the widget, its static view and tests read this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from ...train import MODES, ModeResult
from ..base.formats import percent, plural
from ..base.plot import GLYPHS
from ..base.records import PanelState, SortedTable


class SwitchboardModality(TypedDict):
    """A modality, and how it is set."""

    id: str
    size: str
    mode: str
    mode_text: str


class SwitchboardMode(TypedDict):
    """A way to set a modality."""

    id: str
    label: str
    description: str
    glyph: str


class SwitchboardAccuracy(TypedDict):
    """A share of right answers with its interval, and both in words."""

    share: float
    low: float
    high: float
    text: str
    interval: str
    count: str


class SwitchboardClass(TypedDict):
    """Right answers of a class."""

    label: str
    share: float
    text: str


class SwitchboardModel(SwitchboardAccuracy):
    """A model's answers now, and (`on`) with all modalities on."""

    name: str
    slot: int
    glyph: str
    on: SwitchboardAccuracy
    label: str
    change: str
    classes: list[SwitchboardClass]
    confusion: list[list[int]]
    confusion_text: list[list[str]]


class SwitchboardChance(TypedDict):
    """What always naming the most frequent class would get right."""

    share: float
    text: str


class SwitchboardState(PanelState):
    """The state of a `ModalitySwitchboard`."""

    view: Literal["switchboard"]
    examples: str
    status: str
    modalities: list[SwitchboardModality]
    modes: list[SwitchboardMode]
    models: list[SwitchboardModel]
    chance: SwitchboardChance
    bar_key: str
    tried: SortedTable
    code: str
    all_on: bool
    undo: bool
    redo: bool


MODE_WORDS = {
    "on": ("On", "as measured", "●"),
    "off": ("Off", "zeros in its place", "○"),
    "noise": ("Noise", "random numbers with its own mean and spread", "≈"),
    "shuffled": ("Shuffled", "each example gets another example's", "⇄"),
    "missing": ("Missing", "left out, and the model is told so", "∅"),
}
"""A label, a description and a glyph for each mode."""
MOST_CLASSES = 12
"""More classes than this are counted together: their confusions would fill pages."""
MOST_TRIED = 150

Key = tuple[str, ...]
"""A mode for each modality, in their order."""


def rows(shapes: Mapping[str, tuple[int, ...]], key: Key) -> list[dict]:
    """One row a modality: its name, the size of its features, and its mode."""
    return [
        {
            "id": name,
            "size": " × ".join(f"{number:,}" for number in shape[1:]),
            "mode": mode,
            "mode_text": MODE_WORDS[mode][1],
        }
        for (name, shape), mode in zip(shapes.items(), key, strict=True)
    ]


def modes() -> list[dict]:
    """The choices, with their words."""
    return [
        dict(zip(("id", "label", "description", "glyph"), (mode, *MODE_WORDS[mode]), strict=True))
        for mode in MODES
    ]


def results(
    now: Mapping[str, ModeResult], on: Mapping[str, ModeResult], classes: Sequence[str], chance: Mapping
) -> list[dict]:
    """One entry a model: its accuracy now and with all modalities on, with words for both and for the
    difference."""
    return [
        {
            "name": name,
            "slot": place % len(GLYPHS),
            "glyph": GLYPHS[place % len(GLYPHS)],
            **_accuracy(now[name]),
            "on": _accuracy(on[name]),
            "label": _label(name, now[name], on[name], chance),
            "change": _change(now[name], on[name]),
            "classes": _classes(now[name], classes),
            **_confusion(now[name], classes),
        }
        for place, name in enumerate(now)
    ]


def tried_table(
    modalities: Sequence[str], tried: Sequence[Key], measured: Mapping[str, Mapping[Key, ModeResult]]
) -> dict:
    """The combinations tried so far, in the order in which they were first tried."""
    shown = list(tried)[-MOST_TRIED:]
    found, sort = [], []
    for key in shown:
        each = [results_of[key] for results_of in measured.values()]
        words = [MODE_WORDS[mode][0].lower() for mode in key]
        found.append([*words, *(f"{percent(result.accuracy)} ({_between(result)})" for result in each)])
        sort.append([*(MODES.index(mode) for mode in key), *(result.accuracy for result in each)])
    left = f"; the first {len(tried) - len(shown)} are left out" if len(tried) > len(shown) else ""
    return {
        "head": [*modalities, *(name or "Accuracy" for name in measured)],
        "rows": found,
        "sort": sort,
        "caption": f"{plural(len(tried), 'combination')} tried, accuracy with 95 % interval{left}",
    }


def chance(counts: Sequence[int], classes: Sequence[str]) -> dict:
    """What always naming the most frequent class would get right."""
    most = max(counts)
    share = most / sum(counts)
    even = sum(count == most for count in counts) == len(counts)
    which = "any one class" if even else f"“{classes[list(counts).index(most)]}”"
    return {"share": share, "text": f"chance {percent(share)}: always naming {which}"}


def said(key: Key, modalities: Sequence[str], entries: Sequence[Mapping]) -> str:
    """The setting and its results in a sentence."""
    setting = ", ".join(
        f"{name} {MODE_WORDS[mode][0].lower()}" for name, mode in zip(modalities, key, strict=True)
    )
    found = "; ".join(f"{entry['name']} {entry['text']}".strip() for entry in entries)
    return f"{setting[:1].upper()}{setting[1:]}: {found} right."


def _accuracy(result: ModeResult) -> dict:
    low, high = result.interval
    return {
        "share": result.accuracy,
        "low": low,
        "high": high,
        "text": percent(result.accuracy),
        "interval": _between(result),
        "count": f"{result.right:,} of {len(result.answers):,}",
    }


def _between(result: ModeResult) -> str:
    low, high = result.interval
    return f"{100 * low:.1f} to {100 * high:.1f}"


def _label(name: str, now: ModeResult, on: ModeResult, chance: Mapping) -> str:
    return (
        f"{name or 'the model'}: {percent(now.accuracy)} right, 95 % interval {_between(now)}; "
        f"all on {percent(on.accuracy)}; {chance['text']}"
    )


def bar_key(chance: Mapping) -> str:
    """How the bars are to be read."""
    return f"Filled: now, with its 95 % interval. Hollow: all on. Dotted: {chance['text']}."


def _change(now: ModeResult, on: ModeResult) -> str:
    if now.modes == on.modes:
        return "all modalities on"
    if now.answers == on.answers:
        return "the same answers as with all on"
    points = 100 * (now.accuracy - on.accuracy)
    differ = sum(one != other for one, other in zip(now.answers, on.answers, strict=True))
    word = (
        f"{abs(points):.1f} points {'more' if points > 0 else 'less'} than" if points else "as many right as"
    )
    return f"{word} with all on; {plural(differ, 'answer')} changed"


def _confusion(result: ModeResult, classes: Sequence[str]) -> dict:
    counts = [list(row) for row in result.confusion] if len(classes) <= MOST_CLASSES else []
    return {"confusion": counts, "confusion_text": [[f"{count:,}" for count in row] for row in counts]}


def _classes(result: ModeResult, classes: Sequence[str]) -> list[dict]:
    if len(classes) > MOST_CLASSES:
        return []
    return [
        {
            "label": label,
            "share": right / of if of else 0.0,
            "text": f"{right:,} of {of:,}" if of else "no example",
        }
        for label, (right, of) in zip(classes, result.per_class, strict=True)
    ]
