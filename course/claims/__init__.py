"""The experiments that a lesson's statements are based on.

Each is a function of a seed that returns measured numbers. A lesson runs it once, live, and asserts the
direction of what it says; `python -m course.claims` runs it over several seeds, asserts each claim with a
paired interval, and writes the table that the prose quotes.
"""

from .expected import expect
from .judge import Claim, ClaimError, Verdict, judge
from .lesson import Lesson
from .measured import share_right
from .table import claims_table, quoted_numbers, read_table

__all__ = [
    "Claim",
    "ClaimError",
    "Lesson",
    "Verdict",
    "claims_table",
    "expect",
    "judge",
    "quoted_numbers",
    "read_table",
    "share_right",
]
