"""Switched modalities as plain PyTorch code that has the same effect."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .modalities import modality_seed


def modality_code(modes: Mapping[str, str], *, masked: Collection[str] = (), seed: int = 0) -> str:
    """Python lines, with torch alone, that switch `features` by these modes and measure `model` on `labels`.

    Args:
        modes: one of `MODES` by modality.
        masked: the modalities that not all examples have, as `present` says.
        seed: of noise and shuffling.
    """
    lines = [
        "inputs = dict(features)",
        "there = {name: torch.ones(len(labels), dtype=torch.bool) for name in inputs}",
        *(["there = {**there, **present}"] if masked else []),
    ]
    for name, mode in modes.items():
        if mode != "on":
            lines += ["", *_LINES[mode](repr(name), modality_seed(name, seed))]
    lines += [
        "",
        "model.eval()",
        "with torch.no_grad():",
        "    answers = model(inputs, there).argmax(1)",
        "accuracy = (answers == labels).float().mean().item()",
    ]
    return "\n".join(lines)


def _off(name: str, _: int) -> list[str]:
    return ["# off: zeros in its place", f"inputs[{name}] = torch.zeros_like(inputs[{name}])"]


def _noise(name: str, seed: int) -> list[str]:
    return [
        "# noise: each column keeps its mean and standard deviation, and nothing else",
        f"columns = inputs[{name}][there[{name}]].flatten(0, -2)",
        f"noise = torch.randn(inputs[{name}].shape, generator=torch.Generator().manual_seed({seed}))",
        f"inputs[{name}] = columns.mean(0) + columns.std(0, correction=0) * noise",
    ]


def _shuffled(name: str, seed: int) -> list[str]:
    return [
        "# shuffled: every example gets those of another one",
        f"order = torch.randperm(len(labels), generator=torch.Generator().manual_seed({seed}))",
        "for each in (inputs, there):",
        f"    each[{name}] = each[{name}][order.roll(1)][order.argsort()]",
    ]


def _missing(name: str, _: int) -> list[str]:
    return [
        "# missing: left out, and the model is told so",
        f"inputs[{name}] = torch.zeros_like(inputs[{name}])",
        f"there[{name}] = torch.zeros_like(there[{name}])",
    ]


_LINES = {"off": _off, "noise": _noise, "shuffled": _shuffled, "missing": _missing}
