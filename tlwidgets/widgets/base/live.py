"""Showing a live widget so that, once its kernel is gone, nothing but its receipt is left to read."""

from __future__ import annotations

import ipywidgets

VIEW = "application/vnd.jupyter.widget-view+json"


def publish_view(widget: ipywidgets.DOMWidget) -> None:
    """Put a view of `widget` into the output of the running cell.

    The text beside the view is empty: where the widget cannot be drawn, the receipt that follows says what
    it showed.
    """
    from IPython.display import publish_display_data

    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    publish_display_data({VIEW: view, "text/plain": ""})
