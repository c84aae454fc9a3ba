"""`set_dial(model, layers)` sets which layers learn.

`model` has `.embeddings`, `.layers` (an `nn.ModuleList`, first layer first) and `.head`. The head and the
last `layers` layers learn, and nothing else: 0 is feature extraction. None is full fine-tuning: everything
learns. The function may be called again with another number.
"""

from __future__ import annotations

from graders.checks.compare import difference
from graders.checks.effects import moved_by
from graders.checks.evidence import count_comparison
from graders.checks.mistakes import Catalogue, CheckFailed, Mistake
from graders.checks.registry import exercise
from graders.checks.running import call, numbers, took_none_for_a_number

from .dialled_models import WORLD, Layered, made_up_model, plain_model, real_models, train_a_step

_DEPTHS = (3, 4, 5, 6)

MISTAKES = Catalogue(
    __package__,
    Mistake(
        "minus-zero",
        "With layers=0 every layer learns, and only the head should. In Python `layers[-0:]` is the whole "
        "list, because -0 is 0.",
        ("Count from the front instead: `model.layers[len(model.layers) - layers:]`.",),
    ),
    Mistake(
        "zero-is-not-none",
        "With layers=0 everything learns, as with None. In Python 0 counts as false, so `if not layers` "
        "confuses the two.",
        ("`if layers is None` is true for None alone.",),
    ),
    Mistake(
        "none-is-no-number",
        "`layers` may be None, which cannot be subtracted or compared: full fine-tuning is a case of its "
        "own.",
        ("`if layers is None:` first.",),
    ),
    Mistake(
        "nothing-frozen",
        "Everything learns, whatever `layers` is: nothing was frozen. Each parameter has a `requires_grad` "
        "of its own; setting one on a module has no effect, and `eval()` does not stop gradients.",
        ("`model.requires_grad_(False)`, or a loop over `model.parameters()`.",),
    ),
    Mistake(
        "one-layer-only",
        "One layer learns where the last `layers` should: `[-layers]` is a single layer.",
        ("A slice has a colon: `[len(model.layers) - layers:]`.",),
    ),
    Mistake(
        "partly-thawed",
        "In a part that should learn, some weights do and others stay frozen.",
        ("`layer.parameters()` gives all of them, biases and normalisation layers included.",),
    ),
    Mistake(
        "first-instead-of-last",
        "This thaws the first layers. They hold what is general; the last ones, next to the head, should "
        "learn first.",
        ("The list begins with the layer next to the embeddings. Which end is next to the head?",),
    ),
    Mistake(
        "head-frozen",
        "The head does not learn. It is new and knows nothing yet: it learns at every setting of the dial.",
        ("After freezing everything, thaw `model.head` as well.",),
    ),
    Mistake(
        "embeddings-thawed",
        "The embeddings learn although only the last layers should. They come before the first layer: thaw "
        "them only for layers=None.",
        ("Freeze `model.embeddings` too, unless layers is None.",),
    ),
    Mistake(
        "other-parts-left-alone",
        "A model may have more than embeddings, layers and a head: a norm behind the last layer, say, or a "
        "weight of its own. Not all of that is set as it should be here. It belongs to everything else: it "
        "learns with layers=None alone.",
        ("`model.parameters()` gives those of all parts. Begin with all of them.",),
    ),
    Mistake(
        "stays-frozen",
        "Called a second time with a larger number, this leaves layers frozen that should now learn. The "
        "dial goes both ways.",
        ("Set `requires_grad` to True where something learns, not only to False where it does not.",),
    ),
    Mistake(
        "stays-thawed",
        "Called a second time with a smaller number, this leaves layers learning that should now be frozen. "
        "The dial goes both ways.",
        ("Begin by freezing everything, each time.",),
    ),
    Mistake(
        "none-is-not-zero",
        "With layers=None everything should learn: full fine-tuning. This leaves part of the model frozen.",
        ("`None` is a case of its own. `if layers is None:` finds it.",),
    ),
)

EQUIVALENT = (
    (
        "for layer in model.layers[len(model.layers) - (layers or 0):]: => for layer in "
        "model.layers[len(model.layers) - (layers or -1):]:",
        "one past the end is as empty as the end",
    ),
)


@exercise(
    number=1,
    points=2,
    title="Set the dial",
    functions=("set_dial",),
    mistakes=MISTAKES,
    equivalent=EQUIVALENT,
    off_limits=("tlwidgets.core.apply",),
    lesson_calls=lambda: [("set_dial", (plain_model(6), layers)) for layers in (0, 2, 6, None)],
)
def check_set_dial(set_dial) -> None:
    """Set the dial, train for a step, and see what moved.

    Raises:
        CheckFailed: with the mistake it recognises, or what it found.
    """
    draw = numbers()
    for layers, depth in zip((1, 2, 0), draw.sample(_DEPTHS, 3), strict=True):
        _check(set_dial, plain_model(depth), layers)
    depth = draw.choice(_DEPTHS)
    _check(set_dial, plain_model(depth), depth)
    _check(set_dial, plain_model(depth), None)
    there = plain_model(4)
    _check(set_dial, there, 0)
    _check(set_dial, there, 3, again="stays-frozen")
    _check(set_dial, there, 2, again="stays-thawed")
    _check(set_dial, there, None, again="stays-frozen")
    _check(set_dial, there, 1, again="stays-thawed")
    models = [made_up_model(draw, case["depth"]) for case in WORLD.draw(draw, 8)]
    for model in [*models, *real_models(draw)]:
        depth = len(model.layers)
        for number in draw.sample((0, 1, depth - 1, depth, draw.randint(0, depth), None), 3):
            _check_other(set_dial, model, number)


def _check(set_dial, model: Layered, layers: int | None, again: str = "") -> None:
    try:
        _set(set_dial, model, layers)
    except CheckFailed as failed:
        if layers is None and took_none_for_a_number(failed):
            MISTAKES.fail("none-is-no-number")
        raise
    weights, depth = moved_by(model, train_a_step), len(model.layers)
    moved = set(map(_part, weights))
    first = 0 if layers is None else depth - layers
    expected = {"head", *(f"layer {number}" for number in range(first, depth))}
    expected |= {"embeddings"} if layers is None else set()
    if moved == expected:
        if weights != {name for name, _ in model.named_parameters() if _part(name) in expected}:
            MISTAKES.fail("partly-thawed")
        count_comparison()
        return
    if layers not in (None, depth) and not again and len(moved) == depth + 2:
        MISTAKES.fail("zero-is-not-none" if layers == 0 else "nothing-frozen")
    if again:
        MISTAKES.fail(again)
    if "head" not in moved:
        MISTAKES.fail("head-frozen")
    if layers is None:
        MISTAKES.fail("none-is-not-zero")
    if layers == 0 and len(moved) > depth:
        MISTAKES.fail("minus-zero")
    if moved == {"head", *(f"layer {number}" for number in range(layers))}:
        MISTAKES.fail("first-instead-of-last")
    if moved == {"head", f"layer {depth - layers}"}:
        MISTAKES.fail("one-layer-only")
    if moved - expected == {"embeddings"}:
        MISTAKES.fail("embeddings-thawed")
    raise CheckFailed(
        f"After `set_dial(model, {layers})` and a step of training these had moved: "
        f"{', '.join(sorted(moved)) or 'nothing'}. Expected: {', '.join(sorted(expected))}."
    )


def _part(weight: str) -> str:
    """The part that a weight belongs to."""
    parts = weight.split(".")
    return f"layer {parts[1]}" if parts[0] == "layers" else parts[0]


def _check_other(set_dial, model: Layered, layers: int | None) -> None:
    """Set the dial of a model that has other parts as well, whatever it was set to before."""
    _set(set_dial, model, layers)
    names, depth = [name for name, _ in model.named_parameters()], len(model.layers)
    first = 0 if layers is None else depth - layers
    learn = {"head", *(f"layer {number}" for number in range(first, depth))}
    due = {name for name in names if layers is None or _part(name) in learn}
    moved = moved_by(model, train_a_step) & set(names)
    wrong = [name for name in names if (name in moved) != (name in due)]
    if not wrong:
        count_comparison()
        return
    if not any(name.startswith(("embeddings.", "layers.", "head.")) for name in wrong):
        MISTAKES.fail("other-parts-left-alone")
    is_wrong = "moved, and it should be frozen" if wrong[0] in moved else "did not move, and it should learn"
    raise CheckFailed(
        f"After `set_dial(model, {layers})` on a model of {depth} layers and a step of training {wrong[0]!r} "
        f"{is_wrong}."
    )


def _set(set_dial, model: Layered, layers: int | None) -> None:
    """Call the function; raise if it changed more than which parameters learn."""
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    parameters = dict(model.named_parameters())
    call(set_dial, model, layers, what=f"set_dial(model, {layers})")
    if difference(dict(model.state_dict()), before, "model", rtol=0, atol=0):
        raise CheckFailed(
            f"`set_dial(model, {layers})` changed the model's layers or weights. Expected it only to set "
            "which of them learn."
        )
    if any(parameters.get(name) is not now for name, now in model.named_parameters()):
        raise CheckFailed(
            f"`set_dial(model, {layers})` put new parameters in the place of the model's own, which an "
            "optimizer may hold already. Expected it only to set which of them learn."
        )
