"""What the checker asks of a student's process, as plain values. Both sides read this page; neither believes the other.

Each request has an "id", and its reply has the same one; after its "seconds" what runs is interrupted. Arguments and results
are bytes within the frame, encoded one by one, since they may name modules that the description beside them has to make first.

    {"do": "run", "name": "build-head", "source": "..."}        -> {"error": None or ERROR, "output": str}
    {"do": "fetch", "names": ["build_head"]}                    -> {"values": {name: bytes}, "imported": {name: module}, MODULES}
                                                                   or {"error": ERROR}
    {"do": "call", "target": TARGET, "args": [bytes], "kwargs": {name: bytes}, "grad": bool, MODULES}
        -> {"error": None or ERROR, "value": bytes, "args": [bytes or None], "kwargs": {...}, "graph": int, MODULES}
    {"do": "backward", "graph": int, "gradients": [tensor or None]}  -> {"error": ..., "gradients": [tensor or None]}

    TARGET: ["token", int] or ["method", int, "train"]
    MODULES: "modules": a description (see `twins`), or None
    ERROR: [name of the type, names of its builtin bases, text, plain arguments or None]

Extensions in the values: "module" (token), "parameter" ([token, tensor]), "callable" ([token, name of the type, name]) of the
student's, "ours" (name): something of the checker's that can't be sent.
"""

from __future__ import annotations

import builtins

from .codec import CodecError, encode
from .text import plain

TEXT = 2000
_EXCEPTIONS = {
    name: thing
    for name, thing in vars(builtins).items()
    if isinstance(thing, type) and issubclass(thing, Exception) and not issubclass(thing, Warning)
}


class StudentError(Exception):
    """What a student's code raised, by name and text; nothing else of it crosses."""


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


def error_in(said: object) -> Exception:
    """An exception of the same builtin type, or of one of that name derived from the nearest, with the text cut and cleaned.

    Raises:
        ValueError: that is no ERROR.
    """
    if type(said) is not list or len(said) != 4:
        raise ValueError("that is no error")
    name, bases, text, args = said
    if type(name) is not str or type(text) is not str or type(bases) is not list:
        raise ValueError("that is no error")
    text = plain(text, TEXT)
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
    from .codec import tidy_name

    methods = {
        "__str__": lambda self: text,
        "__init__": lambda self: None,
        "__new__": lambda cls: Exception.__new__(cls),
    }
    try:
        return type(
            tidy_name(name), (StudentError, base), {**methods, "__new__": lambda cls: base.__new__(cls)}
        )()
    except TypeError:  # a base that can't be made without arguments
        return type(tidy_name(name), (StudentError,), {"__str__": lambda self: text})()
