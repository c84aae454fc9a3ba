"""Memory that was moved to huge pages holds what it held."""

import re
import subprocess
import sys

PROGRAM = """
import sys
from pathlib import Path
from graders.autograde.processes.huge_pages import gather
blocks = [bytes([number % 251]) * 100_000 for number in range(400)]
moved = gather()
assert all(block == bytes([number % 251]) * 100_000 for number, block in enumerate(blocks))
print(moved, Path("/proc/self/smaps_rollup").read_text())
"""


def test_what_was_there_is_there_and_lies_in_huge_pages():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    moved = int(done.stdout.split()[0])
    huge_kb = int(re.search(r"AnonHugePages:\s+(\d+) kB", done.stdout)[1])
    assert moved * 2048 <= huge_kb
