"""The widgets: traits and messages only. What they do is in `core` and `train`; `render` prints them."""

from importlib import import_module

_HOME = {
    "FreezePanel": "freeze_panel",
    "TrainPanel": "train_panel",
    "ArenaPanel": "arena_panel",
    "DriftPanel": "drift_panel",
    "Predict": "predict",
    "progress_bar": "progress",
    "UnfreezeScore": "unfreeze_score",
    "ForkPanel": "fork_panel",
    "ModalitySwitchboard": "modality_switchboard",
    "RetrievalGrid": "retrieval_grid",
    "EmbeddingMap": "embedding_map",
    "MediaInput": "media_input",
}

__all__ = sorted(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"tlwidgets.views has no name {name!r}; it offers {', '.join(__all__)}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__
