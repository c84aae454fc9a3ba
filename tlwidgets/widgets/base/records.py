"""The shapes of what several widgets show. `tests/js/state_types.py` makes the scripts' types from these
records."""

from __future__ import annotations

from typing import Literal, TypedDict

Tick = tuple[float, str] | tuple[float, str, str]
"""A value, its words, and perhaps how the words are anchored to it: "start" or "end"."""


class Message(TypedDict):
    """What a panel says. `kind`: "error", "info" or nothing."""

    kind: str
    text: str


class DeviceMemory(TypedDict):
    """Where a model is, and how much memory is used there, in bytes."""

    name: str
    text: str
    used: int | None
    total: int | None


class NumberOption(TypedDict):
    """A number that a preset takes."""

    value: int
    min: int
    max: int
    label: str


class Preset(TypedDict):
    """A button for a plan or a schedule; `unavailable` says why it cannot be chosen."""

    name: str
    title: str
    description: str
    active: bool
    unavailable: str
    options: dict[str, NumberOption]


class Axis(TypedDict):
    """One axis of a chart."""

    low: float
    high: float
    log: bool
    ticks: list[Tick]
    title: str


class Sign(TypedDict):
    """How a series is drawn: its colour, the path of its marks, its dashes."""

    slot: int
    glyph: str
    dash: str


class Series(Sign):
    """One series of a chart. A band has x, low, high; a mark x, y, words, kind, size."""

    name: str
    line: list[tuple[float, float]]
    band: list[tuple[float, float, float]]
    marks: list[tuple[float, float, str, Literal["", "recorded", "part"], float]]


class SortedTable(TypedDict):
    """A table in words; `sort` has a value for each cell, to sort by."""

    head: list[str]
    rows: list[list[str]]
    sort: list[list[str | float]]
    caption: str


class PanelState(TypedDict):
    """What the state of every panel has."""

    schema: int
    title: str
    labels: dict[str, str]
    message: Message
    closed: bool
