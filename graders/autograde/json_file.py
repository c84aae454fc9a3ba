"""Reads the course's JSON files; every mistake is a sentence that names its place."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft202012Validator

from .records import GradingError


def read_text(path: Path) -> str | None:
    """The text of a file; None if it is not there.

    Raises:
        GradingError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise GradingError(f"{path} cannot be read ({reason}). Make it readable, then try again.") from error


def parse_checked(text: str, path: str, validator: Draft202012Validator, expected: str) -> dict:
    """Parse JSON that a schema describes; `description` in a schema says what is expected in its place.

    Args:
        path: named in sentences.
        expected: what the file should be.

    Raises:
        GradingError: it is not JSON, or not as the schema says.
    """
    try:
        content = json.loads(text, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise GradingError(
            f"{path} is not JSON ({error}). Expected {expected}: correct it or move it away, then run the "
            "command again. No grade was changed."
        ) from error
    mistakes = sorted(validator.iter_errors(content), key=lambda one: len(one.absolute_path))
    if mistakes:
        raise mistake_in(path, *_explained(mistakes[0]))
    return content


def mistake_in(path: str, place: str, reason: str) -> GradingError:
    """The error for a mistake in a place such as `units.01.due`."""
    return GradingError(
        f"{path} has a mistake{f' in {place}' if place else ''}: {reason.rstrip('.')}. Correct the file, "
        "then run the command again. No grade was changed."
    )


def _explained(error) -> tuple[str, str]:
    place = ".".join(map(str, error.absolute_path))
    expected = error.schema.get("description", "something else")
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        names = ", ".join(repr(name) for name in error.instance if name not in known)
        return place, f"{names} has no meaning here. Expected {expected}"
    got = json.dumps(error.instance, ensure_ascii=False)
    return place, f"expected {expected}; got {got if len(got) < 80 else f'{got[:80]}…'}"


def _without_doubles(pairs: list[tuple]) -> dict:
    found: dict = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} is there twice in the same place")
        found[name] = value
    return found
