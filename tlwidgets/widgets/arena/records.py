"""The shapes of what the arena panel shows."""

from __future__ import annotations

from typing import Literal, TypedDict

from ..base.records import Axis, PanelState, Series, Sign, SortedTable


class ArenaVariant(TypedDict):
    """A chart (see `plot`), and the table behind it."""

    title: str
    x: Axis
    y: Axis
    series: list[Series]
    level: float | None
    words: str
    table: SortedTable


class ArenaChart(TypedDict):
    """A chart with a variant for each of `choices`, at first `chosen`. `label` says what the choices are."""

    name: str
    title: str
    label: str
    choices: list[str]
    chosen: int
    variants: list[ArenaVariant]


class ArenaEntry(Sign):
    """A contender, and how it is drawn."""

    name: str


class ArenaActions(TypedDict):
    """What can be asked for now."""

    start: bool
    stop: bool


class ArenaState(PanelState):
    """The state of an `ArenaPanel`."""

    view: Literal["arena"]
    budget: str
    legend: list[ArenaEntry]
    charts: list[ArenaChart]
    phase: str
    status: str
    done: int
    total: int
    share: float
    progress: str
    left: str
    whose: str
    actions: ArenaActions
