"""Text that no spreadsheet takes for a formula."""

from __future__ import annotations

import re

# The start of a field, also in spreadsheets that take a semicolon or a bar for the separator.
_FORMULA = re.compile(r"""((?:^|[;|])[\s"']*)([=+@＝＋－＠-])""")


def inert(text: str) -> str:
    """The text on one line, with an apostrophe before whatever a spreadsheet would take for a formula."""
    return _FORMULA.sub(r"\1'\2", " ".join(text.split()))
