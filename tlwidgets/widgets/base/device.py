"""Where a model is, and how full that device's memory is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psutil
import torch

from .formats import memory

_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def device_record(held_by: Iterable[torch.device]) -> dict:
    """The device that holds a model's weights (or the devices, for a model spread over several).

    Returns:
        name ("cpu", "cuda:0", "mps", "meta", or several joined by "+"), text (what a person reads), used and
        total (bytes; None where there is nothing to measure).
    """
    devices = sorted(map(str, held_by)) or ["cpu"]
    if devices == ["meta"]:
        return _record("meta", "meta device: shapes only, no weights in memory", None, None)
    real = [device for device in devices if device != "meta"]
    kind = torch.device(real[0])
    if kind.type == "cuda":
        free, total = torch.cuda.mem_get_info(kind)
        return _record("+".join(devices), torch.cuda.get_device_name(kind), total - free, total)
    if kind.type == "mps":
        return _record(
            "+".join(devices),
            "Apple GPU (MPS)",
            torch.mps.driver_allocated_memory(),
            torch.mps.recommended_max_memory(),
        )
    if kind.type == "cpu":
        return _record("+".join(devices), "CPU", psutil.Process().memory_info().rss, _ram())
    return _record("+".join(devices), kind.type, None, None)


def _record(name: str, title: str, used: int | None, total: int | None) -> dict:
    text = title if used is None or total is None else f"{title}: {memory(used)} used of {memory(total)}"
    return {"name": name, "text": text, "used": used, "total": total}


def _ram() -> int:
    """Memory of the machine, or of the container where that is less (Binder, course hubs)."""
    total = psutil.virtual_memory().total
    if _CGROUP_LIMIT.is_file():
        limit = _CGROUP_LIMIT.read_text().strip()
        if limit.isdigit():
            return min(total, int(limit))
    return total
