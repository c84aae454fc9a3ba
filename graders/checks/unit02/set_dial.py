"""Exercise 1: `set_dial(model, layers)` sets which layers learn.

`model` has `.embeddings`, `.layers` (an `nn.ModuleList`, first layer first) and `.head`. The head and the last `layers` of
the layers learn, nothing else: 0 is feature extraction. None is full fine-tuning: everything learns. The function may be
called again with another number.
"""

from __future__ import annotations

import torch
from torch import nn

from ..compare import difference
from ..effects import moved_by
from ..evidence import held
from ..mistakes import Catalogue, CheckFailed, Exercise, Mistake
from ..running import call, numbers, quiet, took_none_for_a_number
from ..shared import shared_module

_DEPTHS = (3, 4, 5, 6)


def _program(
    everything: str = "model.parameters()",
    freeze: str = "parameter.requires_grad = layers is None",
    thaw: str = "model.layers[len(model.layers) - (layers or 0):]",
    head: str = "model.head.parameters()",
) -> str:
    return (
        "def set_dial(model, layers):\n"
        f"    for parameter in {everything}:\n"
        f"        {freeze}\n"
        f"    for layer in {thaw}:\n"
        "        for parameter in layer.parameters():\n"
        "            parameter.requires_grad = True\n"
        f"    for parameter in {head}:\n"
        "        parameter.requires_grad = True\n"
    )


_CATALOGUE = Catalogue(
    Mistake(
        "minus-zero",
        "With layers=0 every layer learns, and only the head should. In Python `layers[-0:]` is the whole list, because -0 is 0.",
        ("Count from the front instead: `model.layers[len(model.layers) - layers:]`.",),
        _program(thaw="(model.layers[-layers:] if layers is not None else [])"),
    ),
    Mistake(
        "zero-is-not-none",
        "With layers=0 everything learns, as with None. In Python 0 counts as false, so that `if not layers` takes one for the "
        "other.",
        ("`if layers is None` is true for None alone.",),
        _program(
            freeze="parameter.requires_grad = not layers",
            thaw="model.layers[len(model.layers) - (layers or 0):]",
        ),
    ),
    Mistake(
        "none-is-no-number",
        "`layers` may be None, which can't be subtracted or compared: full fine-tuning is a case of its own.",
        ("`if layers is None:` first.",),
        _program(thaw="model.layers[len(model.layers) - layers:]"),
    ),
    Mistake(
        "nothing-frozen",
        "Everything learns, whatever `layers` is: nothing was frozen. Each parameter has a `requires_grad` of its own; one that "
        "is set on a module is read by nobody, and `eval()` stops no gradient.",
        ("`model.requires_grad_(False)`, or a loop over `model.parameters()`.",),
        _program(freeze="pass"),
    ),
    Mistake(
        "one-layer-only",
        "One layer learns where the last `layers` should: `[-layers]` is a single one.",
        ("A slice has a colon: `[len(model.layers) - layers:]`.",),
        _program(thaw="([model.layers[-layers]] if layers else [])"),
    ),
    Mistake(
        "partly-thawed",
        "Of a part that should learn some weights do, others stay frozen.",
        ("`layer.parameters()` gives all of them: biases and normalisation layers as well.",),
        _program(thaw="model.layers[len(model.layers) - (layers or 0):]").replace(
            "        for parameter in layer.parameters():\n            parameter.requires_grad = True\n",
            "        for name, parameter in layer.named_parameters():\n"
            "            parameter.requires_grad = 'weight' in name\n",
        ),
    ),
    Mistake(
        "first-instead-of-last",
        "This thaws the first layers. They hold what is general; the last ones, next to the head, should learn first.",
        ("The list begins with the layer next to the embeddings. Which end is next to the head?",),
        _program(thaw="model.layers[:layers or 0]"),
    ),
    Mistake(
        "head-frozen",
        "The head does not learn. It is new and knows nothing yet: it learns at every place on the dial.",
        ("After freezing everything, thaw `model.head` as well.",),
        _program(head="()"),
    ),
    Mistake(
        "embeddings-thawed",
        "The embeddings learn although only the last layers should. They come before the first layer: thaw them only for "
        "layers=None.",
        ("Freeze `model.embeddings` too, unless layers is None.",),
        _program(everything="model.layers.parameters()"),
    ),
    Mistake(
        "stays-frozen",
        "Called a second time with a larger number, this leaves layers frozen that should learn now. The dial goes both ways.",
        ("Set `requires_grad` to True where something learns, not only to False where it does not.",),
        "def set_dial(model, layers):\n"
        "    if layers is None:\n"
        "        return\n"
        "    for parameter in model.embeddings.parameters():\n"
        "        parameter.requires_grad = False\n"
        "    for layer in model.layers[:len(model.layers) - layers]:\n"
        "        for parameter in layer.parameters():\n"
        "            parameter.requires_grad = False\n",
    ),
    Mistake(
        "stays-thawed",
        "Called a second time with a smaller number, this leaves layers learning that should be frozen now. The dial goes both "
        "ways.",
        ("Begin by freezing everything, each time.",),
        "def set_dial(model, layers):\n"
        "    if all(parameter.requires_grad for parameter in model.parameters()):\n"
        "        model.requires_grad_(False)  # once\n"
        "    model.head.requires_grad_(True)\n"
        "    for layer in model.layers[len(model.layers) - (layers or 0):]:\n"
        "        layer.requires_grad_(True)\n"
        "    if layers is None:\n"
        "        model.requires_grad_(True)\n",
    ),
    Mistake(
        "none-is-not-zero",
        "With layers=None everything should learn: full fine-tuning. This leaves part of the model frozen.",
        ("`None` is a case of its own. `if layers is None:` finds it.",),
        _program(freeze="parameter.requires_grad = False"),
    ),
)


@shared_module
class _Small(nn.Module):
    """Embeddings, some layers and a head."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(11, 6)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(6, 6), nn.LayerNorm(6), nn.GELU()) for _ in range(depth)
        )
        self.head = nn.Linear(6, 2)

    def forward(self, ids):
        hidden = self.embeddings(ids)
        for layer in self.layers:
            hidden = hidden + layer(hidden)
        return self.head(hidden.mean(1))


@quiet
def check_set_dial(set_dial) -> None:
    """Set the dial, make a step of training, and look at what moved.

    Raises:
        CheckFailed: with the mistake it looks like.
    """
    draw = numbers()
    for layers, depth in zip((1, 2, 0), draw.sample(_DEPTHS, 3), strict=True):
        _check(set_dial, _Small(depth), layers)
    depth = draw.choice(_DEPTHS)
    _check(set_dial, _Small(depth), depth)
    _check(set_dial, _Small(depth), None)
    there = _Small(4)
    _check(set_dial, there, 0)
    _check(set_dial, there, 3, again="stays-frozen")
    _check(set_dial, there, 2, again="stays-thawed")
    _check(set_dial, there, None, again="stays-frozen")
    _check(set_dial, there, 1, again="stays-thawed")


def _check(set_dial, model: _Small, layers: int | None, again: str = "") -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    try:
        call(set_dial, model, layers, what=f"set_dial(model, {layers})")
    except CheckFailed as failed:
        if layers is None and took_none_for_a_number(failed):
            _CATALOGUE.fail("none-is-no-number")
        raise
    if difference(dict(model.state_dict()), before, "model", rtol=0, atol=0):
        raise CheckFailed(
            f"`set_dial(model, {layers})` changed the model's layers or weights. Expected it to set which of them learn only."
        )
    weights, depth = moved_by(model, _step), len(model.layers)
    moved = set(map(_part, weights))
    first = 0 if layers is None else depth - layers
    expected = {"head", *(f"layer {number}" for number in range(first, depth))}
    expected |= {"embeddings"} if layers is None else set()
    if moved == expected:
        if weights != {name for name, _ in model.named_parameters() if _part(name) in expected}:
            _CATALOGUE.fail("partly-thawed")
        held()
        return
    if layers not in (None, depth) and not again and len(moved) == depth + 2:
        _CATALOGUE.fail("zero-is-not-none" if layers == 0 else "nothing-frozen")
    if again:
        _CATALOGUE.fail(again)
    if "head" not in moved:
        _CATALOGUE.fail("head-frozen")
    if layers is None:
        _CATALOGUE.fail("none-is-not-zero")
    if layers == 0 and len(moved) > depth:
        _CATALOGUE.fail("minus-zero")
    if moved == {"head", *(f"layer {number}" for number in range(layers))}:
        _CATALOGUE.fail("first-instead-of-last")
    if moved == {"head", f"layer {depth - layers}"}:
        _CATALOGUE.fail("one-layer-only")
    if moved - expected == {"embeddings"}:
        _CATALOGUE.fail("embeddings-thawed")
    raise CheckFailed(
        f"After `set_dial(model, {layers})` and a step of training these had moved: {', '.join(sorted(moved)) or 'nothing'}. "
        f"Expected: {', '.join(sorted(expected))}."
    )


def _part(weight: str) -> str:
    """The part that a weight belongs to."""
    parts = weight.split(".")
    return f"layer {parts[1]}" if parts[0] == "layers" else parts[0]


def _step(model: _Small) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    optimizer.zero_grad()
    scores = model(torch.randint(0, 11, (16, 5)))
    if scores.requires_grad:
        nn.functional.cross_entropy(scores, torch.randint(0, 2, (16,))).backward()
        optimizer.step()
        optimizer.zero_grad()


SET_DIAL = Exercise(
    id="set-dial",
    unit="02-which-layers-to-train",
    points=2,
    title="Set the dial",
    functions=("set_dial",),
    check=check_set_dial,
    mistakes=_CATALOGUE.mistakes,
    right=(
        _program(),
        "def set_dial(model, layers):\n"
        "    model.requires_grad_(layers is None)\n"
        "    model.head.requires_grad_(True)\n"
        "    for number, layer in enumerate(model.layers):\n"
        "        if layers is not None and number >= len(model.layers) - layers:\n"
        "            layer.requires_grad_(True)\n",
    ),
    equivalent=(
        (
            "for layer in model.layers[len(model.layers) - (layers or 0):]: => "
            "for layer in model.layers[len(model.layers) - (layers or -1):]:",
            "one past the end is as empty as the end",
        ),
    ),
)
