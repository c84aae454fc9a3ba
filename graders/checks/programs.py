"""Programs kept as text (right ones, wrong ones), made into functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def functions(source: str, names: Sequence[str], title: str = "program") -> list[Callable]:
    """Run a program as a cell with torch's usual imports before it, and return the functions of these names.

    Raises:
        NameError: the program does not define one of them; an author's mistake.
    """
    import torch

    scope: dict = {"__name__": "__main__", "torch": torch, "nn": torch.nn}
    exec(compile(source, f"<{title}>", "exec"), scope)
    missing = [name for name in names if name not in scope]
    if missing:
        raise NameError(f"The program {title!r} does not define {', '.join(missing)}.")
    return [scope[name] for name in names]
