"""Grades submissions one by one: starts the servers, supervises the processes, collects the evidence."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import re
import select
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ..own_time import OwnTime
from ..protocol.channel import Channel, ChannelError
from ..records import CheckOutcome, Evidence, Isolation, Limits, Submission
from ..sandbox import choose_isolation
from ..sandbox.clearing import clear
from ..stopped import NOT_REACHED, how_it_ended
from .monitor import cpu_seconds, descendants, private_bytes
from .zygote import Server, ServerGone, Zygote

_KINDS = ("student", "checker")
_START_S, _ANSWER_S, _GRACE_S = 120.0, 30.0, 15.0
_MEMORY_CHECK_S = 0.05
_CHECK = re.compile(r"\bcheck_\w{1,80}")
_HEARING_S = 3.0  # from an interrupt to the end of a cell; a check that is late says so within 2 s


class Worker:
    """Grades submissions. Use it as a context manager, or call `close`.

    Args:
        limits: what each submission may use.
        isolation: "auto" takes the best available; see `sandbox.choose_isolation`.
        restart_after: number of submissions after which the servers are restarted, so that small leftovers do
            not add up.
        zygote: forks the servers; by default the worker starts its own.
        cores: the processors that students' processes may use; by default all.

    Raises:
        IsolationError: students' code cannot be isolated here.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        isolation: str = "auto",
        restart_after: int = 500,
        zygote: Zygote | None = None,
        cores: tuple[int, ...] = (),
    ) -> None:
        self.limits = limits or Limits()
        self.isolation: Isolation = choose_isolation(isolation)
        self._restart_after, self._graded, self._cores = restart_after, 0, cores
        self._folder = Path(tempfile.mkdtemp(prefix="grader-"))
        self._own: Zygote | None = None
        if zygote is None:
            zygote = self._own = Zygote()
        self._zygote = zygote
        self._servers: dict[str, Server] = {}
        self._stopped = False

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """End the servers and everything they started."""
        self._end_servers()
        if self._own is not None:
            self._own.close()
        clear(str(self._folder))

    def stop(self) -> None:
        """Called from another thread: end the current grading at once, and grade nothing more."""
        self._stopped = True
        for server in list(self._servers.values()):
            server.kill()

    @property
    def server_pids(self) -> dict[str, int]:
        """Process ids of the running servers."""
        return {kind: server.pid for kind, server in self._servers.items()}

    @property
    def pids(self) -> set[int]:
        """Process ids of the servers and of the zygote."""
        return {*self.server_pids.values(), self._zygote.pid}

    def start(self) -> None:
        """Start the servers now rather than with the first submission.

        Raises:
            ServerGone: one did not start.
        """
        if self._servers and all(server.runs() for server in self._servers.values()):
            return
        self._end_servers()
        try:
            for kind in _KINDS:
                with open(self._folder / f"{kind}.log", "wb") as log:
                    self._servers[kind] = self._zygote.launch(kind, log.fileno())
            for kind, server in self._servers.items():
                self._await_server(kind, server)
            if self._stopped:
                raise ServerGone("This worker was stopped.")
        except BaseException:
            self._end_servers()
            raise

    def grade(self, submission: Submission) -> Evidence:
        """Grade a submission. Never raises because of what a student's code does."""
        started = time.monotonic()
        try:
            if self._graded and self._graded % self._restart_after == 0:
                self._end_servers()
            self._graded += 1
            self.start()
            evidence = _Grading(
                self._servers, self._folder, self.isolation, self.limits, submission, self._cores
            ).run()
        except (ServerGone, OSError, ChannelError) as error:
            self._end_servers()
            evidence = Evidence("grader-failed", f"{error} Grade this submission again.", ())
        except (
            BaseException
        ):  # Ctrl+C: replies that are still to come must not be taken for a later submission's
            self._end_servers()
            raise
        return dataclasses.replace(evidence, wall_s=time.monotonic() - started, isolation=self.isolation)

    def _await_server(self, kind: str, server: Server) -> None:
        try:
            said = server.answer(_START_S)
        except ServerGone as error:
            tail = (self._folder / f"{kind}.log").read_text(errors="replace")[-500:]
            raise ServerGone(f"The {kind} server did not start: {tail or error}") from error
        if said["threads"] > 1:
            raise ServerGone(
                f"The {kind} server has {said['threads']} threads, so it cannot be forked safely."
            )
        server.private_bytes = said["private_bytes"]

    def _end_servers(self) -> None:
        servers, self._servers = self._servers, {}
        for server in servers.values():
            server.stop()


class _Grading:
    """Grades one submission: two processes, a channel to the checker, and a watch on memory and time."""

    def __init__(
        self,
        servers: dict[str, Server],
        folder: Path,
        isolation: Isolation,
        limits: Limits,
        submission: Submission,
        cores: tuple[int, ...],
    ) -> None:
        self._servers, self._isolation, self._limits, self._submission = (
            servers,
            isolation,
            limits,
            submission,
        )
        self._cores, self._cpu_s = cores, 0.0
        self._roots = {kind: folder / kind for kind in _KINDS}
        self._pids: dict[str, int] = {}
        self._outcomes: dict[str, CheckOutcome] = {}
        self._too_large = self._too_late = False
        self._busy: tuple[int, ...] = ()

    def run(self) -> Evidence:
        ends = [socket.socketpair() for _ in range(2)]
        (report, checkers_report), (checkers_link, students_link) = ends
        try:
            self._ask_to_start("student", (students_link,))
            self._ask_to_start("checker", (checkers_report, checkers_link))
            for kind in _KINDS:
                self._await_start(kind)
            for end in (students_link, checkers_report, checkers_link):
                end.close()
            channel = Channel(report)
            channel.send(json.dumps(submission_out(self._submission)).encode(), time.monotonic() + _ANSWER_S)
            last, failed = self._follow(channel)
        finally:
            for pair in ends:
                for end in pair:
                    end.close()
            for kind, pid in self._pids.items():
                self._servers[kind].say({"do": "end", "pid": pid})
            ended = {kind: self._servers[kind].answer(_ANSWER_S) for kind in self._pids}
        return self._evidence(last, failed, ended)

    def _ask_to_start(self, kind: str, ends: tuple[socket.socket, ...]) -> None:
        root = self._roots[kind]
        if self._isolation != "namespaces":
            clear(str(root))
        root.mkdir(exist_ok=True)
        # Not the submission's seed, since the student's process must not know how the hidden inputs are
        # drawn.
        seed = random.Random(f"{kind} {self._submission.digest} {self._submission.seed}").getrandbits(62)
        message = {
            "do": "start", "isolation": self._isolation, "root": str(root), "seed": seed,
            "limits": dataclasses.asdict(self._limits), "cores": self._cores if kind == "student" else (),
            "checks": _checks_called(self._submission) if kind == "checker" else [],
        }  # fmt: skip
        self._servers[kind].say(message, tuple(end.fileno() for end in ends))

    def _await_start(self, kind: str) -> None:
        answer = self._servers[kind].answer(_START_S)  # of checkers: it may try a check for the first time
        if "error" in answer:
            raise ServerGone(f"A process could not be isolated: {answer['error']}.")
        self._pids[kind] = answer["pid"]

    def _follow(self, channel: Channel) -> tuple[dict | None, str]:
        """Read the checker's records up to the last one; returns it and "", or None and the reason."""
        poll = select.poll()
        poll.register(channel.fileno(), select.POLLIN)
        self._busy = (_main_process(self._pids["student"]), self._pids["checker"])
        self._total = self._cell = OwnTime(self._busy)
        since_record, next_check = OwnTime(self._busy), 0.0
        while True:
            came = poll.poll(_MEMORY_CHECK_S * 1000)
            if time.monotonic() > next_check:  # even while records keep coming
                if not (self._too_large or self._too_late):
                    self._check_memory()
                    self._check_time()
                next_check = time.monotonic() + _MEMORY_CHECK_S
            if not came:
                if since_record.seconds > self._limits.cell_s + _GRACE_S:
                    return None, "The checker did not finish in time."
                continue
            try:
                record = json.loads(channel.receive(time.monotonic() + _ANSWER_S))
            except (ChannelError, ValueError):
                return None, "The checker stopped."
            since_record = OwnTime(self._busy)
            if "failed" in record:
                return None, record["failed"]
            if "end" in record:
                return record, ""
            if "cell" in record:
                self._cell = since_record
            if "outcome" in record:
                self._keep(record["outcome"])

    def _keep(self, outcome: dict) -> None:
        best = next(cell.points for cell in self._submission.cells if cell.grade_id == outcome["grade_id"])
        self._outcomes[outcome["grade_id"]] = CheckOutcome(best=float(best), **outcome)

    def _check_memory(self) -> None:
        """Kill the student's namespace if its processes, taken together, use too much."""
        base = self._servers["student"].private_bytes
        used = sum(max(private_bytes(pid) - base, 0) for pid in descendants(self._pids["student"]))
        if used > self._limits.memory_bytes:
            self._too_large = True
            os.kill(self._pids["student"], 9)

    def _check_time(self) -> None:
        """Kill the student's namespace if its code did not stop when it was interrupted.

        The time of the checker, for which it waits, is in it: that has a limit of its own.
        """
        limits = self._limits
        late = self._cell.seconds > limits.cell_s + _HEARING_S or self._total.seconds > limits.total_s
        self._cpu_s = max(self._cpu_s, sum(map(cpu_seconds, descendants(self._pids["student"]))))
        late = late or self._cpu_s > limits.total_s  # many processes can use much in a short time
        if late:
            self._too_late = True
            os.kill(self._pids["student"], 9)

    def _evidence(self, last: dict | None, failed: str, ended: dict[str, dict]) -> Evidence:
        cpu_s = max(self._cpu_s, sum(one.get("cpu_s", 0.0) for one in ended.values()))
        if last is None:
            return Evidence("grader-failed", failed, (), cpu_s=cpu_s)
        gone = last["end"]
        reason = (
            how_it_ended(
                gone, ended["student"], self._isolation, self._too_large, self._too_late, self._limits
            )
            if gone
            else ""
        )
        if reason is None:
            return Evidence(
                "grader-failed", "The student's process was killed from outside.", (), cpu_s=cpu_s
            )
        checks = tuple(self._checks(reason))
        return Evidence(
            "student-failed" if gone else "graded", reason, checks, output=last["output"], cpu_s=cpu_s,
            notes=(*self._submission.notes, *last["notes"]), late=last["late"] or self._too_late,
            waited_s=self._total.waited,
        )  # fmt: skip

    def _checks(self, reason: str) -> Iterator[CheckOutcome]:
        """The outcome of each check. The first check without an outcome is where the code was stopped."""
        stopped = ""
        for cell in self._submission.cells:
            if cell.kind != "test":
                continue
            if cell.grade_id in self._outcomes:
                yield self._outcomes[cell.grade_id]
                continue
            message = f"{NOT_REACHED} `{stopped}`." if stopped else reason
            yield CheckOutcome(cell.grade_id, 0.0, float(cell.points), False, 0, message=message)
            stopped = stopped or cell.grade_id


def _checks_called(submission: Submission) -> list[str]:
    """The names in the submission's test cells that may be those of exercises' checks."""
    found = (_CHECK.findall(cell.source) for cell in submission.cells if cell.kind == "test")
    return sorted(set().union(*found))


def _main_process(pid: int) -> int:
    """The process that runs the cells: the first child of process 1 of a namespace, or the process itself."""
    return min(descendants(pid)[1:], default=pid)


def submission_out(submission: Submission) -> dict:
    """A submission as plain values, for the checker."""
    cells = [[cell.kind, cell.grade_id, cell.source, float(cell.points)] for cell in submission.cells]
    return {**vars(submission), "cells": cells, "notes": list(submission.notes)}
