"""Measurements, kept beside the corpus: measuring goes on where it stopped, and a table is made of them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from .attack import Attack
from .harm import Found

STOCK = Path(__file__).parent / "measured-stock.json"


def digest(attack: Attack) -> str:
    """Changes with anything that an attack does; the sentence about it may be reworded."""
    return hashlib.sha256(repr(replace(attack, tries="")).encode()).hexdigest()[:16]


def read(path: Path = STOCK) -> dict[str, tuple[str, Found]]:
    """The measurements: id -> the digest of the attack that was measured, and what was found."""
    if not path.exists():
        return {}
    return {
        id: (one["digest"], Found.from_dict(one["found"])) for id, one in json.loads(path.read_text()).items()
    }


def keep(attack: Attack, found: Found, path: Path = STOCK) -> None:
    """Add a measurement, atomically."""
    known = json.loads(path.read_text()) if path.exists() else {}
    known[attack.id] = {"digest": digest(attack), "found": found.to_dict()}
    _write(known, path)


def forget_all_but(ids: Collection[str], path: Path = STOCK) -> None:
    """Drop measurements of attacks that no longer exist."""
    if path.exists():
        _write({id: one for id, one in json.loads(path.read_text()).items() if id in ids}, path)


def _write(known: dict, path: Path) -> None:
    half = path.with_suffix(".part")
    half.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")
    os.replace(half, path)
