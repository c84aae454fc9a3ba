"""What a checkpoint rests on besides plain options: functions and data, as digests that can be compared."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from .config import TrainConfig
from .data import Splits
from .digest import digest
from .snapshots import data_digest
from .split import Split


class MadeOf:
    """The functions and the data of a run.

    Args:
        config: the options.
        splits: the data.
    """

    def __init__(self, config: TrainConfig, splits: Splits) -> None:
        optimizer = config.optimizer if callable(config.optimizer) else None
        self._functions = {"loss": config.loss, "augmentation": config.augment, "optimizer": optimizer}
        self._at_start = {name: _whole(function) for name, function in self._functions.items()}
        self._data = {split.name: _data(split) for split in splits.all()}

    def to_record(self) -> dict[str, Any]:
        """As plain data.

        What a function changes while it is used (a list that it appends to) says nothing of whether it is the
        same: its code alone counts then.
        """
        functions = {}
        for name, function in self._functions.items():
            whole = _whole(function)
            steady = whole if whole == self._at_start[name] else ""
            functions[name] = {"name": _name(function), "code": _code(function), "whole": steady}
        return {"python": platform.python_version(), "functions": functions, "data": self._data}

    def difference(self, record: Mapping[str, Any]) -> str:
        """What is not as in `record`, as a clause; "" where all is, as far as can be told."""
        same_python = record["python"] == platform.python_version()  # of another, code has other bytes
        for name, was in record["functions"].items():
            function = self._functions.get(name)
            if was["name"] != _name(function):
                return f"the {name} was {was['name']} and is {_name(function)}"
            if same_python and was["code"] != _code(function):
                return f"the code of the {name} {was['name']} has changed"
            if same_python and was["whole"] and was["whole"] != self._at_start[name]:
                return f"something that the {name} {was['name']} uses has changed (a value or a function)"
        for part in {**record["data"], **self._data}:
            was, now = record["data"].get(part, "none"), self._data.get(part, "none")
            if "none" in (was, now) and was != now:
                before, after = ("no ", "") if was == "none" else ("", " none")
                return f"there were {before}{part} data, and now there are{after}"
            if was and now and was != now:
                return f"the {part} data are not the same"
        return ""


def _name(function: Any) -> str:
    if function is None:
        return "the default"
    return f"`{getattr(function, '__qualname__', type(function).__qualname__)}`"


def _code(function: Any) -> str:
    return digest(function.__code__) if isinstance(function, FunctionType) else ""


def _whole(function: Any) -> str:
    """Its digest; "" where it cannot be told."""
    try:
        return digest(function)
    except Exception:  # whatever an object raises that is looked into
        return ""


def _data(split: Split) -> str:
    """Their digest; "" where reading them again may give others."""
    try:
        return data_digest(split)
    except ValueError:
        return ""
