"""A data set's card: what one should know before believing a number measured on it."""

from dataclasses import dataclass, fields
from html import escape


@dataclass(frozen=True)
class Card:
    """Facts about a data set, each a sentence or two. Prints as text and shows as a table in a notebook."""

    title: str
    what: str
    real: str
    label: str
    size: str
    splits: str
    limits: str
    licence: str
    source: str

    def __str__(self) -> str:
        rows = (f"{field.name:>8}: {getattr(self, field.name)}" for field in fields(self)[1:])
        return "\n".join([self.title, *rows])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left;vertical-align:top">{field.name.capitalize()}</th>'
            f'<td style="text-align:left">{escape(getattr(self, field.name))}</td></tr>'
            for field in fields(self)[1:]
        )
        return f"<table><caption><b>{escape(self.title)}</b></caption><tbody>{rows}</tbody></table>"
