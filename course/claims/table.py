"""docs/claims.md: written whole, read back row by row, quoted by the lessons.

A lesson quotes a number as `<span data-claim="ID.FIELD">NUMBER</span>`; FIELD is one of `FIELDS`, and NUMBER
must be what the table shows.
"""

import os
import platform
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .judge import Verdict

FIELDS = ("this", "against", "difference", "low", "high", "favour", "seeds")
_HEAD = ("claim", "lesson", "statement", "this", "against", "difference", "95 % interval", "seeds in favour")
_QUOTE = re.compile(r'<span data-claim="([\w-]+)\.(\w+)">([^<]*)</span>')
_PLACE = re.compile(r"^- Lesson (\w+): (.+)\.$", re.MULTILINE)
_INTRO = """# Claims

Each sentence of a lesson that rests on a measurement, measured again over several seeds. Written by
`make claims`, which stops where a claim does not hold; don't edit it by hand. A claim holds when the first
number is above the second for every seed and the 95 % interval of their mean difference (Student's t, paired
by seed) lies above 0. Accuracies are in per cent of held-out examples, differences in percentage points;
perplexities (less is better) are as they are.
"""


def claims_table(
    verdicts: Iterable[Verdict],
    kept: Sequence[dict[str, str]] = (),
    machines: Mapping[str, str] | None = None,
) -> str:
    """The whole document: one row for each verdict, beside rows `kept` from an earlier table.

    `machines` says where the lessons of the kept rows were measured (`read_machines`); verdicts come from
    this one. A lesson with rows of both kinds names both machines.
    """
    verdicts = list(verdicts)
    earlier = dict(machines or {})
    where = {row["lesson"]: earlier[row["lesson"]] for row in kept if row["lesson"] in earlier}
    for lesson in {verdict.claim.lesson for verdict in verdicts}:
        places = [where[lesson]] if lesson in where else []
        where[lesson] = "; ".join(dict.fromkeys([*places, machine()]))
    rows = sorted([*kept, *map(_row, verdicts)], key=lambda row: (row["lesson"], row["claim"]))
    lines = ["| " + " | ".join(_HEAD) + " |", "| " + " | ".join("---" for _ in _HEAD) + " |"]
    for row in rows:
        interval = f"{row['low']} to {row['high']}"
        seeds = f"{row['favour']} of {row['seeds']}"
        cells = (*(row[name] for name in _HEAD[:6]), interval, seeds)
        lines.append("| " + " | ".join(cells) + " |")
    lessons = dict.fromkeys(row["lesson"] for row in rows)
    places = [f"- Lesson {lesson}: {where[lesson]}." for lesson in lessons if lesson in where]
    return "\n".join([_INTRO, *lines, "", "Measured on", "", *places, ""])


def read_machines(path: Path) -> dict[str, str]:
    """Where each lesson of a table was measured."""
    return dict(_PLACE.findall(path.read_text(encoding="utf-8")))


def read_table(path: Path) -> dict[str, dict[str, str]]:
    """The rows of a table by claim: `statement`, `lesson`, and `FIELDS`, all as they are printed."""
    rows = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if len(cells) != len(_HEAD) or cells[0] in (_HEAD[0], "---"):
            continue
        row = dict(zip(_HEAD[:6], cells[:6], strict=True))
        row["low"], row["high"] = cells[6].split(" to ")
        row["favour"], row["seeds"] = cells[7].split(" of ")
        rows[row["claim"]] = row
    return rows


def quoted_numbers(text: str) -> list[tuple[str, str, str]]:
    """Every number that a text quotes from the table: (claim, field, number as written)."""
    return [(match[1], match[2], match[3]) for match in _QUOTE.finditer(text)]


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, prefix=path.name, suffix=".part", delete=False, encoding="utf-8"
    ) as part:
        part.write(text)
    os.chmod(part.name, 0o644)
    os.replace(part.name, path)


def machine() -> str:
    """The machine and the versions that the numbers come from; no name of a person or a host."""
    import torch
    import transformers

    return (
        f"{_processor()}, {torch.get_num_threads()} threads, {platform.system()}, Python "
        f"{platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}"
    )


def _processor() -> str:
    try:
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        info = ""
    named = re.search(r"^model name\s*:\s*(.+)$", info, re.MULTILINE)
    return " ".join((named[1] if named else platform.processor() or platform.machine()).split())


def _row(verdict: Verdict) -> dict[str, str]:
    digits = 0 if verdict.claim.unit == "tensors" else 1
    numbers = {
        name: f"{getattr(verdict, name):.{digits}f}"
        for name in ("this", "against", "difference", "low", "high")
    }
    return {
        "claim": verdict.claim.id,
        "lesson": verdict.claim.lesson,
        "statement": verdict.claim.statement,
        "favour": str(verdict.in_favour),
        "seeds": str(verdict.seeds),
        **numbers,
    }
