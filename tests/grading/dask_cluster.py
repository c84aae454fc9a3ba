"""A Dask cluster of one's own: a scheduler and workers, processes that can be killed or stopped."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import psutil
from classroom import ROOT, environment
from faults import until

from graders.autograde.batch.certificates import cluster_security


class Cluster:
    """A scheduler and its workers, on this machine; a context manager."""

    def __init__(self, folder: Path, port: int = 0, certificates: Path | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._file = folder, folder / "scheduler.json"
        self._started = contextlib.ExitStack()
        self._certificates = certificates
        where = ("--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        where += ("--protocol", "tls") if certificates else ()
        self.scheduler = self._start("scheduler", *where, "--scheduler-file", str(self._file))
        until(lambda: self._file.exists() and self._file.read_text().endswith("}"))
        self.address = json.loads(self._file.read_text())["address"]

    def worker(self, packages: Path = ROOT, nanny: bool = True) -> psutil.Process:
        """One more worker, when it has joined.

        Args:
            packages: where it takes the graders from.
            nanny: whether what is returned only watches over the worker, and starts it again when it dies.
        """
        from distributed import Client

        security = cluster_security(self.address, self._certificates, insecure=self._certificates is None)
        with Client(self.address, security=security, timeout="180s", set_as_default=False) as client:
            there = len(client.scheduler_info(n_workers=-1)["workers"])
            how = ("--nthreads", "1", "--no-dashboard", "--local-directory", str(self._folder))
            process = self._start(
                "worker", self.address, *how, "--nanny" if nanny else "--no-nanny", packages=packages
            )
            client.wait_for_workers(there + 1, timeout=180)
        return psutil.Process(process.pid)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_) -> None:
        self._started.close()

    def _start(self, *arguments: str, packages: Path = ROOT) -> subprocess.Popen:
        if self._certificates:
            own = str(self._certificates / f"{arguments[0]}.pem")
            arguments += ("--tls-ca-file", str(self._certificates / "ca.pem"))
            arguments += ("--tls-cert", own, "--tls-key", own)
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            env={**environment(), "PYTHONPATH": str(packages)},
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._started.callback(_end, process)
        return process


def _end(process: subprocess.Popen) -> None:
    """End it, stopped or not, with all that it has started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        tree = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for one in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
    process.wait()


def kill_tree(process: psutil.Process) -> list[psutil.Process]:
    """Kill it and everything it started, like a machine that is switched off; returns them all."""
    tree = [process]
    with contextlib.suppress(psutil.NoSuchProcess):
        tree += process.children(recursive=True)
    for one in tree:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    return tree
