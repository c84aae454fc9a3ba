"""The requests of the checker to a student's process, as plain values. Neither side trusts the other.

Each request has an "id", which its reply repeats, and "seconds" of own time, after which the running code is
interrupted; its reply says how many it used ("own"), and whether it was interrupted ("late").
Arguments and results are bytes within the frame, encoded one by one, since they may refer to modules that the
description beside them has to create first.

    {"do": "run", "name": "build-head", "source": "..."}
        -> {"error": None or ERROR, "output": str}
    {"do": "fetch", "names": ["build_head"]}
        -> {"values": {name: bytes}, "imported": {name: module}, MODULES} or {"error": ERROR}
    {"do": "call", "target": TARGET, "args": [bytes], "kwargs": {name: bytes}, "grad": bool,
        "off_limits": [name], MODULES}
        -> {"error": None or ERROR, "value": bytes, "args": [bytes or None], "kwargs": {...}, "graph": int,
            MODULES}
    {"do": "backward", "graph": int, "gradients": [tensor or None]}
        -> {"error": ..., "gradients": [tensor or None]}

    TARGET: ["token", int] or ["method", int, "train"]
    MODULES: "modules": a description (see `mirrored_modules`), or None
    ERROR: [name of the type, names of its builtin bases, text, plain arguments or None]

Extensions in the values: "module" (token), "parameter" ([token, tensor]), "callable" ([token, name of the
type, name]) of the student's, "ours" (name): an object of the checker's that cannot be sent.
"""

from __future__ import annotations

import builtins

from ..codec import CodecError, encode
from ..text import strip_control_characters

TEXT = 2000
_EXCEPTIONS = {
    name: thing
    for name, thing in vars(builtins).items()
    if isinstance(thing, type) and issubclass(thing, Exception) and not issubclass(thing, Warning)
}


class StudentError(Exception):
    """An error of a student's code: only its name and its text cross."""


def error_out(error: BaseException) -> list:
    """An exception as plain values."""
    kind = type(error)
    bases = [base.__name__ for base in kind.__mro__ if _EXCEPTIONS.get(base.__name__) is base]
    try:
        text = str(error)
    except Exception:  # a student's __str__
        text = ""
    try:
        args = list(error.args) if len(encode(list(error.args))) <= TEXT else None
    except (CodecError, TypeError, AttributeError):
        args = None
    return [kind.__name__, bases, text[: 2 * TEXT], args]


def error_in(sent: object) -> Exception:
    """An exception of the same builtin type, or of a type of that name derived from the nearest one.

    Raises:
        ValueError: it is not an ERROR.
    """
    if type(sent) is not list or len(sent) != 4:
        raise ValueError("that is not an error")
    name, bases, text, args = sent
    if type(name) is not str or type(text) is not str or type(bases) is not list:
        raise ValueError("that is not an error")
    text = strip_control_characters(text, TEXT)
    base = next((_EXCEPTIONS[one] for one in bases if type(one) is str and one in _EXCEPTIONS), Exception)
    if base.__name__ == name and base is not Exception:
        for arguments in (args, [text]):
            error = _made(base, arguments)
            if error is not None and str(error) == text:
                return error
    return _named(name, base, text)


def _made(base: type[Exception], args: object) -> Exception | None:
    try:
        return base(*args) if type(args) is list else None
    except (TypeError, ValueError):
        return None


def _named(name: str, base: type[Exception], text: str) -> Exception:
    from ..codec import tidy_name

    methods = {
        "__str__": lambda self: text,
        "__init__": lambda self: None,
        "__new__": lambda cls: Exception.__new__(cls),
    }
    try:
        return type(
            tidy_name(name), (StudentError, base), {**methods, "__new__": lambda cls: base.__new__(cls)}
        )()
    except TypeError:  # a base that cannot be created without arguments
        return type(tidy_name(name), (StudentError,), {"__str__": lambda self: text})()
