"""What the building scripts share: the committed copy is compared with what was built, or replaced by it."""

import os
from collections.abc import Callable
from pathlib import Path


def compare(
    target: Path, packed: bytes, same_content: Callable[[bytes, bytes], bool], alike: str, differs: str
) -> str:
    """Say what the committed copy shares with what was built: "bytes", only the "content", or nothing ("").

    `alike` is said of the same content in other bytes, `differs` of other content.
    """
    committed = target.read_bytes()
    if committed == packed:
        print(f"{target.name}: the same bytes")
        return "bytes"
    same = same_content(committed, packed)
    print(f"{target.name}: {alike if same else differs}")
    return "content" if same else ""


def replace(target: Path, packed: bytes) -> None:
    """Put what was built in the place of the committed copy, whole."""
    beside = target.with_suffix(".new")
    beside.write_bytes(packed)
    os.replace(beside, target)
