"""The words on buttons and headings, in one table. They come with a panel's state (`labels`), to its live and
its static view.

Words that change with the state (a plan, a number, a message) are made where the state is made.
"""

from __future__ import annotations

from .records import NumberOption

_LABELS = {
    "shared": {
        "presets": "Presets",
        "undo": "Undo",
        "undo_tip": "Undo (Ctrl+Z)",
        "redo": "Redo",
        "redo_tip": "Redo (Ctrl+Shift+Z)",
        "code": "PyTorch code",
        "code_title": "The same in plain PyTorch",
        "copy": "Copy",
        "copied": "Copied",
        "selected": "Selected: press Ctrl+C to copy",
        "figures": "What these figures are based on",
        "epochs": "The numbers of each epoch",
        "epoch": "Epoch",
        "loss": "Loss",
        "accuracy": "Accuracy",
        "train_loss": "Training loss",
        "train_accuracy": "Training accuracy",
        "valid_loss": "Validation loss",
        "valid_accuracy": "Validation accuracy",
        "table_below": "The table below has the numbers.",
        "start": "Start",
        "stop": "Stop",
        "play": "Play",
        "pause": "Pause",
    },
    "freeze": {
        "panel": "Freezing panel of {title}",
        "tree": "Layers of {title}",
        "lock_tip": "Freeze or thaw (Space)",
        "learns": "Parameters that learn",
        "memory": "Memory to train",
        "work": "Backward work",
        "of_full": "of full fine-tuning",
        "of_full_without_activations": "of full fine-tuning, without activations",
        "activations_unknown": "Activations: not estimated for this model",
        "show_code": "Show me the code",
        "hide_code": "Hide the code",
        "waiting": "The kernel is running a cell. Your click takes effect when the cell ends.",
    },
    "predict": {
        "panel": "Prediction",
        "placeholder": "your guess",
        "guess": "Your guess",
        "answer": "Measured",
        "no_guess": "none made",
        "first": "Lock in my guess",
        "again": "Change my guess",
    },
    "train": {
        "again": "Train again",
        "resume": "Resume",
        "smoothed": "training, smoothed",
        "each_step": "each step",
        "validation": "validation",
        "means": "Means over each epoch",
        "no_values": "no values yet",
    },
    "fork": {
        "smoothed": "thick: training, smoothed",
        "validation": "thin with marks: validation",
        "in_training": "in training",
        "in_validation": "in validation",
        "fork": "Fork here",
        "place": "Fork",
        "restore": "Bring back",
        "remove": "Remove",
        "remove_fork": "Remove fork",
        "marker": "Step to fork at",
        "base": "Fork",
        "plan": "From there on",
        "rate": "Learning rate",
        "results": "The run and its forks",
        "line": "Curve",
        "since": "Forked after",
        "change": "Change",
        "test_accuracy": "Test accuracy",
        "code_title": "The same in code",
    },
    "arena": {
        "panel": "Arena: {title}",
        "again": "Continue",
        "numbers": "The numbers",
    },
    "drift": {
        "panel": "Gradients and drift",
        "step": "Step",
        "rows": "Layers, first layer at the top",
        "layers": "Layers",
        "gradient": "Gradient norm",
        "moved": "Moved",
        "moved_share": "Moved (share of its size)",
        "gradients": "Gradients",
        "numbers": "The numbers of this step",
    },
    "unfreeze": {
        "count": "{epochs} epochs",
        "rows": "From which epoch on each part learns",
        "help": "Drag the start of a bar, or move it with the arrow keys: the part learns from that epoch. "
        "Delete: never.",
        "never": "never",
        "work": "Backward work",
        "share": "share of full fine-tuning",
        "begins": "Begins to learn",
        "learns": "Parameters that learn",
        "caption": "What each epoch trains, and its backward work relative to full fine-tuning",
    },
    "media": {
        "kinds": "What to bring",
        "choose": "Choose a file",
        "drop_picture": "Drop a picture here, paste one (Ctrl+V), or:",
        "drop_sound": "Drop a sound here, or:",
        "most": "up to {most}",
        "text": "Your text",
        "use_text": "Use this text",
        "use_text_tip": "Use this text (Ctrl+Enter)",
        "clear": "Clear",
        "reading": "Reading… (a cell that runs goes first)",
        "value": "What the model gets:",
        "waveform": "The numbers behind the waveform",
        "code_title": "The same in plain Python",
        "recent": "Earlier",
        "camera": "Camera",
        "video": "What the camera sees",
        "snap": "Take the picture",
        "microphone": "Record",
        "recording": "Recording",
        "level": "Level",
        "finish": "Stop and use it",
        "cancel": "Cancel",
    },
    "retrieval": {
        "recall": "Queries with something right among their first k",
        "pick": "Pick a query",
        "search_for": "Search for",
        "placeholder": "your own words",
        "search": "Search",
        "found": "Found, best first",
        "beyond": "The first right one, further down",
        "right": "right",
        "rank": "rank",
        "cosine": "cosine",
        "numbers": "All queries",
    },
    "switchboard": {
        "panel": "Modality switchboard",
        "reset": "All on",
        "model": "the model",
        "classes": "Each class",
        "right": "Right answers",
        "confusions": "Confusions between classes",
        "confusion": "Rows: the right class; columns: the model's answer",
        "numbers": "Combinations tried",
    },
    "embedding": {
        "map": "Map of embeddings.",
        "before": "Before",
        "after": "After",
        "training": "training",
        "between": "Between before and after",
        "way": "of the way",
        "help": "Point at a mark, or go through them with the arrow keys: left and right to the next thing, "
        "up and down to its partner.",
        "numbers": "The distances",
    },
}

OPTIONS = {"k": "k, the number of last layers that learn", "every": "epochs from one part to the next"}
"""The meaning of the number beside a preset's button."""


def labels(widget: str, **values: str) -> dict[str, str]:
    """The words of a widget and those that all share. `values` take the place of their names in braces."""
    return {name: text.format(**values) for name, text in (_LABELS["shared"] | _LABELS[widget]).items()}


def number_option(key: str, value: int, most: int) -> NumberOption:
    """The number that a preset takes, from 1 to `most`."""
    return {"value": value, "min": 1, "max": most, "label": OPTIONS[key]}
