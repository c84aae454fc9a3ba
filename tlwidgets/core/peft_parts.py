"""What the `peft` package puts into a model, found without importing it."""

from __future__ import annotations

from .scan import Scan, ScannedModule


def adapters_of(scan: Scan) -> int:
    """The parameters of adapters, LoRA's and others', as a bit set."""
    found = 0
    for entry in scan.modules:
        names = getattr(type(entry.module), "adapter_layer_names", ())
        for slot in _slots_below(scan, entry, names):
            found |= 1 << scan.slots[slot]
    for slot, name in enumerate(scan.slot_names):
        if ".lora_" in f".{name}" or name.startswith("prompt_encoder."):
            found |= 1 << scan.slots[slot]
    return found


def copies_kept_by_peft(scan: Scan) -> list[int]:
    """The parameters of `modules_to_save` as they were: PEFT trains a copy of each."""
    return [
        scan.slots[slot]
        for entry in scan.modules
        if "modules_to_save" in entry.module._modules
        for slot in _slots_below(scan, entry, ("original_module",))
    ]


def _slots_below(scan: Scan, entry: ScannedModule, names: tuple[str, ...]) -> list[int]:
    """The slots of a module's children, or of its parameters, of these names."""
    within = range(entry.first, entry.last) if names else ()
    prefix = f"{entry.name}." if entry.name else ""
    return [slot for slot in within if scan.slot_names[slot][len(prefix) :].partition(".")[0] in names]
