"""The switchboard of modalities: switch each off, replace it by noise, shuffle it or remove it, and see what
a model still gets right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from torch import Tensor, nn

from ...train import MODES, ModeResult, measure_modes, switch_modalities
from ...train.modality_code import modality_code
from ..base.history import History
from ..base.labels import labels as panel_labels
from ..base.panel import Panel
from . import state as shown
from .static import switchboard_html, switchboard_text

_MOST_MODELS = 6  # as many as there are colours and glyphs


class ModalitySwitchboard(Panel):
    """Does a model use each of its modalities? Switch them, by clicking or from code, and measure again.

    Args:
        models: a fusion model, or several by name; each is called as `model(features, present)` and returns
            scores (examples, classes).
        features: what the models take, by modality: (N, D) or (N, T, D).
        labels: class numbers (N,).
        present: which examples have each modality: bool (N,), or (N, T) where steps are padding. None: all of
            them.
        classes: the names of the classes; by default their numbers.
        seed: the seed of noise and shuffling.

    Display the panel by making it a cell's last line. Where nobody can click, the present setting is shown as
    a static view. A model whose weights were changed is measured again when the panel is next used. The panel
    keeps models and features until `close()`, or until neither a variable nor a view on the page refers to
    the panel.

    Raises:
        TypeError: `models` is neither a module nor a mapping of modules.
        ValueError: features, labels or classes that don't fit one another or a model.
    """

    requests = {
        "mode": ("set_mode", "modality", "mode"),
        "reset": ("reset",),
        "undo": ("undo",),
        "redo": ("redo",),
    }
    heard_while_busy = False  # a model that a cell is training must not be put into evaluation mode

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
        self._history: History[shown.Key] = History(self._on)
        self._tried: list[shown.Key] = [self._on]
        self._measured: dict[str, dict[shown.Key, ModeResult]] = {name: {} for name in self._models}
        self._weights: dict[str, tuple] = {name: () for name in self._models}
        self._classes = [str(name) for name in classes]
        self._measure(self._on)
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
        with self.lock:
            self._measure(self._key)
            return {name: found[self._key] for name, found in self._measured.items()}

    @property
    def code(self) -> str:
        """Plain PyTorch lines with the same effect."""
        return modality_code(self.modes, masked=self._present, seed=self._seed)

    @property
    def state(self) -> dict:
        """All that the panel shows, as plain data: what the widget, its static view and tests read."""
        with self.lock:
            now, on = (
                {name: found[key] for name, found in self._measured.items()} for key in (self._key, self._on)
            )
            named = panel_labels("switchboard")
            return {
                "schema": 1,
                "view": "switchboard",
                "title": named["panel"],
                "labels": named,
                "examples": f"{len(self._labels):,} examples",
                "status": f"{len(self._labels):,} examples, {self._chance['text']}",
                "modalities": shown.rows(self._shapes, self._key),
                "modes": shown.modes(),
                "models": shown.results(now, on, self._classes, self._chance),
                "chance": dict(self._chance),
                "bar_key": shown.bar_key(self._chance),
                "tried": shown.tried_table(list(self._shapes), self._tried, self._measured),
                "code": self.code,
                "all_on": self._key == self._on,
                "undo": self._history.can_undo,
                "redo": self._history.can_redo,
                "message": dict(self._message),
                "closed": self._closed,
            }

    # -- what can be done ------------------------------------------------------------------------------------

    def set_mode(self, modality: str, mode: str) -> None:
        """Set a modality to one of `MODES` and measure all models.

        Raises:
            ValueError: no such modality or mode, the panel was closed, or a model cannot do without the
                modality.
        """
        with self.lock:
            if modality not in self._shapes:
                raise ValueError(
                    f"There is no modality {modality!r}. Expected one of {', '.join(self._shapes)}."
                )
            if mode not in MODES:
                raise ValueError(
                    f"{mode!r} is not a mode of {modality!r}. Expected one of {', '.join(MODES)}."
                )
            place = list(self._shapes).index(modality)
            self._adopt((*self._key[:place], mode, *self._key[place + 1 :]))

    def reset(self) -> None:
        """Set all modalities on."""
        with self.lock:
            self._adopt(self._on)

    def undo(self) -> None:
        """Go back to the setting before the last change."""
        with self.lock:
            if not self._history.can_undo:
                self._say("info", "There is nothing to undo.")
                return
            self._travel(self._history.undo, self._history.redo)

    def redo(self) -> None:
        """Take back the last `undo`."""
        with self.lock:
            if not self._history.can_redo:
                self._say("info", "There is nothing to redo.")
                return
            self._travel(self._history.redo, self._history.undo)

    def close(self) -> None:
        """End the live view and release the models and features. The output keeps the last setting as a
        static view."""
        with self.lock:
            if self._end():
                self._models, self._features, self._present = {}, {}, {}

    @property
    def _key(self) -> shown.Key:
        return self._history.present

    def _adopt(self, key: shown.Key) -> None:
        if key != self._key:
            self._measure(key)
            self._history.record(key)
            if key not in self._tried:
                self._tried.append(key)
        self._tell()

    def _travel(self, step, back) -> None:
        key = step()
        try:
            self._measure(key)
        except Exception:
            back()
            raise
        self._tell()

    def _tell(self) -> None:
        self._say("info", shown.said(self._key, list(self._shapes), self.state["models"]))

    # -- measuring -------------------------------------------------------------------------------------------

    def _measure(self, key: shown.Key) -> None:
        """Measure a setting that has no results yet; where a model's weights have changed, all settings tried
        so far."""
        if self._closed:
            if all(key in found for found in self._measured.values()):
                return
            raise ValueError(
                "This panel was closed and no longer has its models. Make a new one: "
                "ModalitySwitchboard(models, ...)."
            )
        classes = len(self._classes) or None
        for name, model in self._models.items():
            weights = tuple((id(each), each._version) for each in chain(model.parameters(), model.buffers()))
            known = self._measured[name] if weights == self._weights[name] else {}
            wanted = [each for each in dict.fromkeys((*self._tried, key)) if each not in known]
            settings = [dict(zip(self._shapes, each, strict=True)) for each in wanted]
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
        with self.lock:
            if not self._closed:
                self._measure(self._key)
        super()._ipython_display_()

    def __repr__(self) -> str:
        return f"ModalitySwitchboard({shown.said(self._key, list(self._shapes), self.state['models'])})"


def _named(models) -> dict[str, nn.Module]:
    named = {"": models} if isinstance(models, nn.Module) else models
    if not isinstance(named, Mapping) or not all(isinstance(model, nn.Module) for model in named.values()):
        raise TypeError("Expected a torch.nn.Module, or several by name: {'early': model, 'late': model}.")
    if not 1 <= len(named) <= _MOST_MODELS:
        raise ValueError(f"There are {len(named)} models. Expected 1 to {_MOST_MODELS} side by side.")
    return {str(name): model for name, model in named.items()}
