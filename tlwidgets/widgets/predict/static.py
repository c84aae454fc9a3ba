"""The static view of a prediction: guess and answer side by side."""

from __future__ import annotations

from html import escape

from ..base import static_html as html

_COLOURS = {"guess": html.ORANGE, "answer": html.BLUE}


def predict_html(state: dict) -> str:
    """HTML of a prediction's state (`Predict.state`)."""
    parts = [html.heading(state["title"])]
    if not state["answer"]:
        parts.append(html.paragraph(_guess_words(state)))
        return html.box(*parts)
    number = state["kind"] == "number"
    head = ("", "Value", "Size") if number else ("", "Value")
    rows = [_cells(side)[: len(head)] for side in state["sides"]]
    parts.append(html.table(head, rows, "Guess and answer"))
    if state["guess"]:
        parts.append(html.paragraph(state["verdict"]))
    return html.box(*parts)


def predict_text(state: dict) -> str:
    """The same as plain text."""
    if not state["answer"]:
        return f"{state['title']}\n{_guess_words(state)}"
    width = max(len(side["title"]) for side in state["sides"])
    lines = [f"  {side['title'].ljust(width)}  {side['text']}" for side in state["sides"]]
    return "\n".join([state["title"], *lines, *([state["verdict"]] if state["guess"] else [])])


def _cells(side: dict) -> tuple[str, str, str]:
    value = escape(side["text"])
    bar = html.bar([(side["share"], _COLOURS[side["name"]])], f"{side['title']}: {side['text']}", width=160)
    return escape(side["title"]), f"<strong>{value}</strong>" if side["name"] == "answer" else value, bar


def _guess_words(state: dict) -> str:
    return f"{state['labels']['guess']}: {state['guess']}" if state["guess"] else "No guess made."
