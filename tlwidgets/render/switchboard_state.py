"""A switchboard of modalities as plain data: the widget, its static twin and the tests all read this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..train import MODES, ModeResult
from .plot import GLYPHS
from .words import percent, plural

MODE_WORDS = {
    "on": ("On", "as measured"),
    "off": ("Off", "zeros in its place"),
    "noise": ("Noise", "random numbers with its own mean and spread"),
    "shuffled": ("Shuffled", "each example has another one's"),
    "missing": ("Missing", "nothing there, and the model is told"),
}
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
    return [{"id": mode, "label": MODE_WORDS[mode][0], "description": MODE_WORDS[mode][1]} for mode in MODES]


def results(
    now: Mapping[str, ModeResult], on: Mapping[str, ModeResult], classes: Sequence[str]
) -> list[dict]:
    """One entry a model: its accuracy now and with all modalities on, with words for both and for the difference."""
    return [
        {
            "name": name,
            "slot": place % len(GLYPHS),
            "glyph": GLYPHS[place % len(GLYPHS)],
            **_accuracy(now[name]),
            "on": _accuracy(on[name]),
            "change": _change(now[name], on[name]),
            "classes": _classes(now[name], classes),
            "confusion": [list(row) for row in now[name].confusion] if len(classes) <= MOST_CLASSES else [],
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
