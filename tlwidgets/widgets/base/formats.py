"""Numbers as a person reads them: the same words in every live view and its static view."""

from __future__ import annotations

import math

_COUNTS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))
_BYTES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def count(number: int) -> str:
    """A number of parameters with three significant digits: 22713216 -> "22.7 M"."""
    return _scaled(number, _COUNTS, "")


def memory(number: int) -> str:
    """A number of bytes, in decimal units: 90852864 -> "90.9 MB"."""
    return _scaled(number, _BYTES, "B")


def percent(share: float) -> str:
    """A share of one: 0.1234 -> "12.3 %". Only nothing reads as 0 %, and only everything as 100 %."""
    if share <= 0:
        return "0 %"
    if share >= 1:
        return "100 %"
    value = 100 * share
    if value < 0.001:
        return "< 0.001 %"
    if value < 1:
        return f"{value:.{1 - math.floor(math.log10(value))}f}".rstrip("0").rstrip(".") + " %"
    return f"{min(value, 99.9):.1f} %"


def plural(number: int, one: str, many: str = "") -> str:
    """plural(2, "group") -> "2 groups"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def time_words(seconds: float) -> str:
    """Seconds as a person says them: 75 -> "1 min 15 s"."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _scaled(number: float, scale: tuple[tuple[float, str], ...], unit: str) -> str:
    for factor, name in scale:
        # 999,950 is read as 1.00 M, not as 1000 K.
        if abs(number) >= 0.9995 * factor:
            value = number / factor
            digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
            return f"{value:.{digits}f} {name}"
    return f"{number:,.0f} {unit}".strip()
