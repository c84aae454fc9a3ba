"""The static twin of a prediction: guess and answer side by side."""

from __future__ import annotations

from html import escape

from . import html


def predict_html(state: dict) -> str:
    """HTML of a prediction's state (`Predict.state`)."""
    parts = [html.heading(state["question"])]
    if not state["answer"]:
        parts.append(html.paragraph(_guess_words(state)))
        return html.box(*parts)
    rows = [
        ("Guess", escape(state["guess"] or "no guess made"), _bar(state, "guess", html.ORANGE)),
        ("Answer", f"<strong>{escape(state['answer'])}</strong>", _bar(state, "answer", html.BLUE)),
    ]
    number = state["kind"] == "number"
    head = ("", "Value", "Size") if number else ("", "Value")
    parts.append(html.table(head, rows if number else [row[:2] for row in rows], "Guess and answer"))
    if state["guess"]:
        parts.append(html.paragraph(state["verdict"]))
    return html.box(*parts)


def predict_text(state: dict) -> str:
    """The same as plain text."""
    lines = [state["question"]]
    if not state["answer"]:
        return "\n".join([*lines, _guess_words(state)])
    lines += [f"  guess:  {state['guess'] or 'no guess made'}", f"  answer: {state['answer']}"]
    return "\n".join(lines + ([state["verdict"]] if state["guess"] else []))


def _guess_words(state: dict) -> str:
    return f"Guess: {state['guess']}" if state["guess"] else "No guess made."


def _bar(state: dict, name: str, colour: str) -> str:
    return html.bar([(state[f"{name}_bar"], colour)], f"{name}: {state[name] or 'none'}", width=160)
