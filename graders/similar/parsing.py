"""Parses students' answers in a process of its own: what makes a parser crash or hang costs one answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping

from .forms import NotPython, Subtree, subtrees

SECONDS, MEMORY_BYTES = 10, 1 << 30


class Parser:
    """A process that parses; started again whenever an answer has ended it. A context manager."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Parser:
        return self

    def __exit__(self, *_) -> None:
        self._stop()

    def subtrees(self, source: str) -> list[Subtree]:
        """As `forms.subtrees`.

        Raises:
            NotPython: it cannot be parsed, takes too long, or too much memory.
        """
        process = self._running()
        assert process.stdin and process.stdout
        try:
            process.stdin.write(json.dumps([source, self._names]) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
        except (OSError, ValueError):
            self._stop()
            raise NotPython("parsing it takes too long, or too much memory") from None
        if isinstance(answer, str):
            raise NotPython(answer)
        return [Subtree(*one) for one in answer]

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
            )
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _serve() -> None:
    limit_itself()
    for line in sys.stdin:
        source, names = json.loads(line)
        _alarm(SECONDS)
        try:
            said = json.dumps(subtrees(source, names))
        except NotPython as error:
            said = json.dumps(str(error) or "it cannot be parsed")
        _alarm(0)
        print(said, flush=True)


def limit_itself() -> None:
    """Bound this process's memory, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _alarm(seconds: int) -> None:
    import signal

    if hasattr(signal, "alarm"):
        signal.alarm(seconds)  # ends the process


if __name__ == "__main__":
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    _serve()
