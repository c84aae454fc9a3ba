"""Grades submissions one after the other: starts the servers, watches over each pair of processes, makes the evidence."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import select
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .channel import Channel, ChannelError
from .processes import descendants, private_bytes
from .records import CheckOutcome, Evidence, Isolation, Limits, Submission
from .sandbox import choose_isolation
from .sandbox.clearing import clear
from .sentences import NOT_REACHED, how_it_ended
from .zygote import Server, ServerGone, Zygote

_KINDS = ("student", "checker")
_START_S, _ANSWER_S, _GRACE_S = 120.0, 30.0, 15.0
_LOOK_S = 0.05


class Worker:
    """Grades submissions. Use it as a context manager, or call `close`.

    Args:
        limits: what each submission may use.
        isolation: "auto" takes the best there is; see `sandbox.choose_isolation`.
        restart_after: submissions after which the servers are started afresh, so that what little they leave does not add up.
        zygote: where the servers come from; one of its own without it.

    Raises:
        IsolationError: students' code can't be held apart here.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        isolation: str = "auto",
        restart_after: int = 500,
        zygote: Zygote | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.isolation: Isolation = choose_isolation(isolation)
        self._restart_after, self._graded = restart_after, 0
        self._folder = Path(tempfile.mkdtemp(prefix="grader-"))
        self._own = Zygote() if zygote is None else None
        self._zygote = zygote or self._own
        self._servers: dict[str, Server] = {}
        self._stopped = False

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """End the servers and whatever they started."""
        self._end_servers()
        if self._own is not None:
            self._own.close()
        clear(str(self._folder))

    def stop(self) -> None:
        """From another thread: end at once what is being graded, and grade nothing more."""
        self._stopped = True
        for server in list(self._servers.values()):
            server.kill()

    @property
    def server_pids(self) -> dict[str, int]:
        """Process ids of the servers that run now."""
        return {kind: server.pid for kind, server in self._servers.items()}

    @property
    def pids(self) -> set[int]:
        """Process ids of the servers and of the zygote."""
        return {*self.server_pids.values(), self._zygote.pid}

    def start(self) -> None:
        """Start the servers now instead of at the first submission.

        Raises:
            ServerGone: one did not come up.
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
        """Run a submission and judge it. Never raises for what a student's code does."""
        started = time.monotonic()
        try:
            if self._graded and self._graded % self._restart_after == 0:
                self._end_servers()
            self._graded += 1
            self.start()
            evidence = _Grading(self._servers, self._folder, self.isolation, self.limits, submission).run()
        except (ServerGone, OSError, ChannelError) as error:
            self._end_servers()
            evidence = Evidence("grader-failed", f"{error} Grade this submission again.", ())
        except BaseException:  # Ctrl+C: what the servers still have to say belongs to no later submission
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
                f"The {kind} server has {said['threads']} threads, which a fork would not survive."
            )
        server.private_bytes = said["private_bytes"]

    def _end_servers(self) -> None:
        servers, self._servers = self._servers, {}
        for server in servers.values():
            server.stop()


class _Grading:
    """One submission: two processes, one channel to the checker, and a watch on the student's memory and time."""

    def __init__(
        self,
        servers: dict[str, Server],
        folder: Path,
        isolation: Isolation,
        limits: Limits,
        submission: Submission,
    ) -> None:
        self._servers, self._isolation, self._limits, self._submission = (
            servers,
            isolation,
            limits,
            submission,
        )
        self._roots = {kind: folder / kind for kind in _KINDS}
        self._pids: dict[str, int] = {}
        self._outcomes: dict[str, CheckOutcome] = {}
        self._too_large = False

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
        # Not the submission's seed: the student's process is not to know what the hidden inputs are drawn from.
        seed = random.Random(f"{kind} {self._submission.digest} {self._submission.seed}").getrandbits(62)
        message = {
            "do": "start", "isolation": self._isolation, "root": str(root), "seed": seed,
            "limits": dataclasses.asdict(self._limits),
        }  # fmt: skip
        self._servers[kind].say(message, tuple(end.fileno() for end in ends))

    def _await_start(self, kind: str) -> None:
        answer = self._servers[kind].answer(_ANSWER_S)
        if "error" in answer:
            raise ServerGone(f"A process could not be held apart: {answer['error']}.")
        self._pids[kind] = answer["pid"]

    def _follow(self, channel: Channel) -> tuple[dict | None, str]:
        """Read the checker's records to the last one; "" or why there is none."""
        poll = select.poll()
        poll.register(channel.fileno(), select.POLLIN)
        deadline, look = time.monotonic() + self._limits.cell_s + _GRACE_S, 0.0
        while True:
            came = poll.poll(_LOOK_S * 1000)
            if time.monotonic() > look:  # also while one record follows the other
                self._look_at_memory()
                look = time.monotonic() + _LOOK_S
            if not came:
                if time.monotonic() > deadline:
                    return None, "The checker did not come to an end."
                continue
            try:
                record = json.loads(channel.receive(time.monotonic() + _ANSWER_S))
            except (ChannelError, ValueError):
                return None, "The checker stopped."
            deadline = time.monotonic() + self._limits.cell_s + _GRACE_S
            if "failed" in record:
                return None, record["failed"]
            if "end" in record:
                return record, ""
            if "outcome" in record:
                self._keep(record["outcome"])

    def _keep(self, outcome: dict) -> None:
        best = next(cell.points for cell in self._submission.cells if cell.grade_id == outcome["grade_id"])
        self._outcomes[outcome["grade_id"]] = CheckOutcome(best=float(best), **outcome)

    def _look_at_memory(self) -> None:
        """Kill the student's namespace if its processes, taken together, use too much."""
        base = self._servers["student"].private_bytes
        used = sum(max(private_bytes(pid) - base, 0) for pid in descendants(self._pids["student"]))
        if used > self._limits.memory_bytes and not self._too_large:
            self._too_large = True
            os.kill(self._pids["student"], 9)

    def _evidence(self, last: dict | None, failed: str, ended: dict[str, dict]) -> Evidence:
        cpu_s = sum(one.get("cpu_s", 0.0) for one in ended.values())
        if last is None:
            return Evidence("grader-failed", failed, (), cpu_s=cpu_s)
        gone = last["end"]
        reason = (
            how_it_ended(gone, ended["student"], self._isolation, self._too_large, self._limits)
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
            notes=(*self._submission.notes, *last["notes"]),
        )  # fmt: skip

    def _checks(self, reason: str) -> Iterator[CheckOutcome]:
        """What became of each check. Of those that did not come to an end, the first is where it stopped."""
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


def submission_out(submission: Submission) -> dict:
    """A submission as plain values, for the checker."""
    cells = [[cell.kind, cell.grade_id, cell.source, float(cell.points)] for cell in submission.cells]
    return {**vars(submission), "cells": cells, "notes": list(submission.notes)}
