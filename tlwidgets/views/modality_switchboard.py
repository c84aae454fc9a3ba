"""The switchboard of modalities: switch each off, to noise, shuffle it or take it away, and see what a model still gets right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from torch import Tensor, nn

from ..render import switchboard_state as shown
from ..render.switchboard import switchboard_html, switchboard_text
from ..train import MODES, ModeResult, measure_modes, switch_modalities
from ..train.modality_code import modality_code
from .assets import script, style
from .panel import Panel, sentence
from .wire import PanelWidget, unknown_request

_HISTORY = 200  # settings that undo remembers
_MOST_MODELS = 6  # as many as there are colours and glyphs


class ModalitySwitchboard(Panel):
    """Does a model use each of its modalities? Switch them, by clicking or from code, and measure again.

    Args:
        models: a fusion model, or several by name; called `model(features, present)`, gives scores (examples, classes).
        features: what the models take, by modality: (N, D) or (N, T, D).
        labels: class numbers (N,).
        present: what is there at all, by modality: bool (N,), or (N, T) where steps are padding. None: everything.
        classes: the classes' names; none: their numbers.
        seed: of noise and shuffling.

    Display the panel by making it a cell's last line. Where nobody can click, the present setting is shown as a static
    page. A model whose weights were changed is measured anew when the panel is next used. The panel keeps models and features
    until `close()`, or until neither a variable nor a view on the page holds the panel.

    Raises:
        TypeError: `models` is no module, and no mapping of them.
        ValueError: features, labels or classes that don't fit one another or a model.
    """

    def __init__(
        self,
        models: nn.Module | Mapping[str, nn.Module],
        features: Mapping[str, Tensor],
        labels: Tensor,
        *,
        present: Mapping[str, Tensor] | None = None,
        classes: Sequence[str] = (),
        seed: int = 0,
    ) -> None:
        super().__init__()
        self._models = _named(models)
        switch_modalities(features, {}, present=present)  # says what does not fit
        self._features, self._labels, self._seed = dict(features), labels, seed
        self._present = dict(present or {})
        self._shapes = {name: tuple(tensor.shape) for name, tensor in features.items()}
        self._on: shown.Key = ("on",) * len(self._features)
        self._key = self._on
        self._tried: list[shown.Key] = [self._on]
        self._measured: dict[str, dict[shown.Key, ModeResult]] = {name: {} for name in self._models}
        self._weights: dict[str, tuple] = {name: () for name in self._models}
        self._past: list[shown.Key] = []
        self._future: list[shown.Key] = []
        self._classes = [str(name) for name in classes]
        self._measure()
        counts = [of for _, of in self._first(self._on).per_class]
        self._classes = self._classes or [f"class {number}" for number in range(len(counts))]
        self._chance = shown.chance(counts, self._classes)

    # -- what there is ---------------------------------------------------------------------------------------

    @property
    def modes(self) -> dict[str, str]:
        """How each modality is set now."""
        return dict(zip(self._shapes, self._key, strict=True))

    @property
    def results(self) -> dict[str, ModeResult]:
        """What each model answers now, by name ("" where there is one without a name)."""
        with self._lock:
            self._measure()
            return {name: found[self._key] for name, found in self._measured.items()}

    @property
    def code(self) -> str:
        """Plain PyTorch lines with the same effect."""
        return modality_code(self.modes, masked=self._present, seed=self._seed)

    @property
    def state(self) -> dict:
        """All that the panel shows, as plain data: what the widget, its static twin and tests read."""
        with self._lock:
            now, on = (
                {name: found[key] for name, found in self._measured.items()} for key in (self._key, self._on)
            )
            return {
                "schema": 1,
                "view": "switchboard",
                "title": "Modality switchboard",
                "status": f"{len(self._labels):,} examples, {self._chance['text']}",
                "modalities": shown.rows(self._shapes, self._key),
                "modes": shown.modes(),
                "models": shown.results(now, on, self._classes),
                "chance": dict(self._chance),
                "tried": shown.tried_table(list(self._shapes), self._tried, self._measured),
                "code": self.code,
                "all_on": self._key == self._on,
                "undo": bool(self._past),
                "redo": bool(self._future),
                "message": dict(self._message),
                "closed": self._closed,
            }

    # -- what can be done ------------------------------------------------------------------------------------

    def set_mode(self, modality: str, mode: str) -> None:
        """Set a modality to one of `MODES` and measure all models.

        Raises:
            ValueError: no such modality or mode, the panel was closed, or a model that can't do without.
        """
        with self._lock:
            if modality not in self._shapes:
                raise ValueError(
                    f"There is no modality {modality!r}. Expected one of {', '.join(self._shapes)}."
                )
            if mode not in MODES:
                raise ValueError(f"{mode!r} is no mode of {modality!r}. Expected one of {', '.join(MODES)}.")
            place = list(self._shapes).index(modality)
            self._adopt((*self._key[:place], mode, *self._key[place + 1 :]))

    def reset(self) -> None:
        """Set all modalities on."""
        with self._lock:
            self._adopt(self._on)

    def undo(self) -> None:
        """Go back to the setting before the last change."""
        self._travel(self._past, self._future, "There is nothing to undo.")

    def redo(self) -> None:
        """Take back the last `undo`."""
        self._travel(self._future, self._past, "There is nothing to do again.")

    def close(self) -> None:
        """End the live view and let the models and features go. The output keeps the last setting as a static page."""
        with self._lock:
            if self._end():
                self._models, self._features, self._present = {}, {}, {}

    def _adopt(self, key: shown.Key) -> None:
        if key != self._key:
            before = self._key
            self._key = key
            try:
                self._measure()
            except Exception:
                self._key = before
                raise
            self._past.append(before)
            del self._past[:-_HISTORY]
            self._future.clear()
            if key not in self._tried:
                self._tried.append(key)
        self._tell()

    def _travel(self, source: list, target: list, nothing: str) -> None:
        with self._lock:
            if not source:
                self._say("info", nothing)
                return
            target.append(self._key)
            self._key = source.pop()
            self._measure()
            self._tell()

    def _tell(self) -> None:
        self._say("info", shown.said(self._key, list(self._shapes), self.state["models"]))

    # -- measuring -------------------------------------------------------------------------------------------

    def _measure(self) -> None:
        """Have results of the present setting, and of all settings tried where a model's weights were changed."""
        if self._closed:
            if all(self._key in found for found in self._measured.values()):
                return
            raise ValueError(
                "This panel was closed and has let its models go. Make a new one: ModalitySwitchboard(models, ...)."
            )
        classes = len(self._classes) or None
        for name, model in self._models.items():
            weights = tuple((id(each), each._version) for each in chain(model.parameters(), model.buffers()))
            known = self._measured[name] if weights == self._weights[name] else {}
            wanted = [key for key in dict.fromkeys((*self._tried, self._key)) if key not in known]
            settings = [dict(zip(self._shapes, key, strict=True)) for key in wanted]
            found = measure_modes(
                model,
                self._features,
                self._labels,
                settings,
                present=self._present,
                classes=classes,
                seed=self._seed,
            )
            self._measured[name] = {**known, **dict(zip(wanted, found, strict=True))}
            self._weights[name] = weights
            classes = classes or len(self._first(self._on).confusion)

    def _first(self, key: shown.Key) -> ModeResult:
        return next(iter(self._measured.values()))[key]

    def _rendered(self) -> tuple[str, str]:
        state = self.state
        return switchboard_html(state), switchboard_text(state)

    def _ipython_display_(self) -> None:
        with self._lock:
            if not self._closed:
                self._measure()
        super()._ipython_display_()

    def _make_widget(self):
        return _SwitchboardWidget(self)

    def __repr__(self) -> str:
        return f"ModalitySwitchboard({shown.said(self._key, list(self._shapes), self.state['models'])})"


class _SwitchboardWidget(PanelWidget):
    """Small enough to be sent whole.

    From the browser, beside a panel's usual messages: mode {modality, mode}; reset; undo; redo.
    """

    _esm = script("modality_switchboard")
    _css = style("modality_switchboard")
    requests = ("reset", "undo", "redo")
    heard_while_busy = False  # a model that a cell trains is not to be put into evaluation mode

    def _answer(self, panel, kind, content: dict) -> None:
        try:
            if kind == "mode":
                panel.set_mode(str(content.get("modality")), str(content.get("mode")))
            elif kind == "hello" or kind in self.requests:
                super()._answer(panel, kind, content)
            else:
                raise ValueError(unknown_request(kind))
        except Exception as error:  # a model is anybody's code: whatever it raises is told, not lost
            panel._say("error", sentence(error))


def _named(models) -> dict[str, nn.Module]:
    named = {"": models} if isinstance(models, nn.Module) else models
    if not isinstance(named, Mapping) or not all(isinstance(model, nn.Module) for model in named.values()):
        raise TypeError(
            "A switchboard is made of a torch.nn.Module, or of several by name: {'early': model, 'late': model}."
        )
    if not 1 <= len(named) <= _MOST_MODELS:
        raise ValueError(f"There are {len(named)} models. Expected 1 to {_MOST_MODELS} side by side.")
    return {str(name): model for name, model in named.items()}
