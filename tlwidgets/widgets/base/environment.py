"""Is somebody there to click? Decides between a live widget and its static view."""

from __future__ import annotations

import os
import sys

OVERRIDE = "TLWIDGETS_VIEW"


def is_live() -> bool:
    """Whether the code runs for a front end that can show a widget and answer it.

    An interactive front end (JupyterLab, Notebook, VS Code) allows the kernel to ask for input; programs
    that run notebooks (nbclient, papermill, nbconvert, nbgrader) do not, and outside a kernel there is no
    front end at all. The environment variable `TLWIDGETS_VIEW` (`live` or `static`) overrides what is found.

    Raises:
        ValueError: `TLWIDGETS_VIEW` is neither `live` nor `static`.
    """
    override = os.environ.get(OVERRIDE, "").strip().lower()
    if override in ("live", "static"):
        return override == "live"
    if override:
        raise ValueError(
            f"The environment variable {OVERRIDE} is {override!r}; expected 'live' or 'static'. "
            "Correct it, or unset it to let the front end decide."
        )
    kernel = getattr(shell(), "kernel", None)
    if kernel is None:
        return False
    request = kernel.get_parent()
    if str(request.get("header", {}).get("msg_type", "")).startswith("comm_"):
        return True  # only a front end with widgets opens and uses comms
    return bool(request.get("content", {}).get("allow_stdin", False))


def shell():
    """IPython's running shell, without importing IPython where nothing has."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None
