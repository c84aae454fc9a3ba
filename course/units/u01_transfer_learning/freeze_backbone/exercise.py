"""`freeze_backbone(model)` and `start_epoch(model)`: frozen by effect, while the head learns.

`model` has a `.backbone` and a `.head`. Two small models are trained as a training loop would (AdamW with
decay, a validation pass between epochs); then every byte of the backbone is compared.
"""

from __future__ import annotations

import random
from typing import Any

import torch
from torch import Tensor, nn

from graders.checks.evidence import count_comparison
from graders.checks.mistakes import Catalogue, CheckFailed, Mistake
from graders.checks.registry import exercise
from graders.checks.running import call, numbers
from graders.checks.shared import shared_module
from graders.checks.worlds import sizes

from .odd_models import odd_models

_MORE = sizes(1, 9)  # layers
_EPOCHS, _STEPS, _BATCH, _INPUTS, _CLASSES = 4, 2, 8, 6, 3

MISTAKES = Catalogue(
    __package__,
    Mistake(
        "flag-on-the-module",
        "The backbone's weights moved. `requires_grad` was set on the module, where it is a new attribute "
        "that nothing reads: each parameter has its own.",
        (
            "Loop over `model.backbone.parameters()` and set the flag of each.",
            "Or call `requires_grad_(False)`.",
        ),
    ),
    Mistake(
        "not-frozen",
        "The backbone's weights moved: after `freeze_backbone` their `requires_grad` is still True.",
        (
            "Set it to False for each of `model.backbone.parameters()`; a misspelled name makes a new "
            "attribute.",
            "Call `requires_grad_(False)` on the backbone itself.",
        ),
    ),
    Mistake(
        "thawed-again",
        "The backbone's weights moved: `freeze_backbone` froze them, and `start_epoch` made them trainable "
        "again.",
        ("`start_epoch` sets modes. Leave `requires_grad` alone there.",),
    ),
    Mistake(
        "only-eval-mode",
        "The backbone's weights moved. `eval()` turns off dropout and the updates of running statistics; it "
        "does not stop gradients.",
        (
            "Every parameter has a switch, `requires_grad`; turned off, it tells PyTorch to compute no "
            "gradient.",
        ),
    ),
    Mistake(
        "partly-frozen",
        "Some of the backbone's weights moved and others did not: only a part of it is frozen.",
        ("`model.backbone.parameters()` gives all of them, biases and normalisation layers included.",),
    ),
    Mistake(
        "froze-the-head",
        "The head did not learn: its weights are frozen, too. Only the backbone should be.",
        ("Freeze `model.backbone`, not `model`.",),
    ),
    Mistake(
        "statistics-drift",
        "The backbone's weights stayed as they were, but its buffers moved: BatchNorm's running statistics "
        "change whenever the backbone is in training mode, without any gradient.",
        (
            "In which mode does BatchNorm leave its statistics alone? Put the backbone in that mode, after "
            "`model.train()`.",
        ),
    ),
    Mistake(
        "mode-set-once",
        "In the first epoch the backbone was in evaluation mode; in a later one it was back in training "
        "mode. `start_epoch` runs before each epoch: set the mode there, not in `freeze_backbone`.",
        ("`model.train()` reaches every part of the model. Call it first, then put the backbone back.",),
    ),
    Mistake(
        "batch-statistics",
        "Weights and buffers stayed as they were, but BatchNorm in the backbone is in training mode: it "
        "normalises by the batch, so a sentence's features depend on the sentences beside it.",
        ("Put the whole backbone in `eval()`, after `model.train()`.",),
    ),
    Mistake(
        "dropout-still-on",
        "Weights and statistics stayed as they were, but dropout is on in the backbone, so the same sentence "
        "gives different features each time.",
        ("Put the whole backbone in `eval()`, not its normalisation layers alone.",),
    ),
    Mistake(
        "head-at-rest",
        "The head is in evaluation mode while it should be learning, so its dropout is off. Only the "
        "backbone belongs in evaluation mode.",
        ("`model.train()` for everything, then `.eval()` for the backbone alone.",),
    ),
    Mistake(
        "changed-the-model",
        "The model is not the same as before: layers of the backbone were removed or replaced. Freezing "
        "leaves the model as it is and only stops it from learning.",
        ("Change flags and modes, not layers.",),
    ),
)

EQUIVALENT = (
    ("parameter.grad = None => pass", "a training loop clears gradients before each step"),
    (
        "model.backbone.train = lambda mode=True: model.backbone => model.backbone.train = lambda "
        "mode=False: model.backbone",
        "the lambda ignores its argument",
    ),
)


@shared_module
class _Model(nn.Module):
    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.backbone(x))


def _models(numbers: random.Random) -> list[_Model]:
    """A chain of layers and one for pictures, each with some more layers than it needs."""
    chain = nn.Sequential(
        nn.Linear(_INPUTS, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 8), nn.LayerNorm(8)
    )
    picture = nn.Sequential(
        nn.Unflatten(1, (1, 2, 3)),
        nn.Conv2d(1, 4, 2),
        nn.BatchNorm2d(4),
        nn.Dropout(0.3),
        nn.Flatten(),
        nn.Linear(8, 8),
    )
    return [_Model(_longer(backbone, numbers), _head(numbers)) for backbone in (chain, picture)]


def _longer(chain: nn.Sequential, numbers: random.Random) -> nn.Sequential:
    more = (nn.Sequential(nn.Linear(8, 8), nn.Tanh()) for _ in range(_MORE(numbers) - 1))
    return nn.Sequential(*chain, *more)


def _head(numbers: random.Random) -> nn.Sequential:
    more = (nn.Linear(8, 8) for _ in range(_MORE(numbers) - 1))
    return nn.Sequential(nn.Dropout(0.2), *more, nn.Linear(8, _CLASSES))


@exercise(
    number=2,
    points=2,
    title="Freeze by effect",
    functions=("freeze_backbone", "start_epoch"),
    mistakes=MISTAKES,
    equivalent=EQUIVALENT,
    off_limits=("tlwidgets.core.apply",),
    narrow=(("parts of model", "the exercise names these two; what else the lesson's has holds no weights"),),
)
def check_freeze_backbone(freeze_backbone, start_epoch) -> None:
    """Train two small models with the student's functions and see what moved.

    Raises:
        CheckFailed: with the mistake it recognises, or what it found.
    """
    draw = numbers()
    for model in _models(draw):
        _as_if_pretrained(model)
        _check(model, freeze_backbone, start_epoch, 3 * torch.randn(_BATCH, _INPUTS) + 1, _CLASSES)
    for odd, inputs, classes in odd_models(draw):
        _as_if_pretrained(odd)
        _check(odd, freeze_backbone, start_epoch, inputs, classes)


def _check(model: Any, freeze_backbone, start_epoch, inputs: Tensor, classes: int) -> None:
    made_of, names = _parts(model), list(model.state_dict())
    before = _values(model)
    learns, settings = [one.requires_grad for one in model.head.parameters()], _settings(model.head)
    call(freeze_backbone, model, what="freeze_backbone(model)")
    still = [parameter.requires_grad for parameter in model.backbone.parameters()]
    at_rest = not model.backbone.training
    if not _same_parts(model, made_of) or list(model.state_dict()) != names:
        MISTAKES.fail("changed-the-model")
    _check_untouched(model, before, "freeze_backbone")
    if any(learns) and not any(one.requires_grad for one in model.head.parameters()):
        MISTAKES.fail("froze-the-head")
    if [one.requires_grad for one in model.head.parameters()] != learns:
        raise CheckFailed(
            "`freeze_backbone` changed which weights of the head learn: a part of it was frozen before, or "
            "was not. Expected the head to stay as it is."
        )
    if "forward" in vars(model.backbone) and type(model.backbone).__module__.startswith("transformers."):
        # The answer is hooked into it, and where the answer runs a real model cannot be called.
        return
    # Decay moves weights without a gradient: the backbone's must not move, and the head has to learn.
    groups: list[dict[str, Any]] = [
        {"params": model.backbone.parameters(), "weight_decay": 0.1},
        {"params": model.head.parameters()},
    ]
    optimizer = torch.optim.AdamW(groups, lr=0.05, weight_decay=0.0)
    for epoch in range(_EPOCHS):
        trained = _values(model)
        call(start_epoch, model, what="start_epoch(model)")
        if not _same_parts(model, made_of):
            MISTAKES.fail("changed-the-model")
        _check_untouched(model, trained, "start_epoch")
        if _settings(model.head) != settings:
            raise CheckFailed(
                "`start_epoch` or `freeze_backbone` changed settings of the head's layers, such as how much "
                "its dropout drops. Expected the head to stay as it is, apart from its mode."
            )
        _check_modes(model, epoch)
        try:
            _train(model, optimizer, inputs, classes)
        except RuntimeError as error:
            if not any(parameter.requires_grad for parameter in model.parameters()):
                MISTAKES.fail("froze-the-head")
            raise CheckFailed(f"Training stopped after your functions ran: {error}") from error
        _check_weights(model, before, frozen=not any(still), at_rest=at_rest)
        _check_rest(model, before, epoch)
        model.eval()  # as a validation pass does


def _parts(model: nn.Module) -> list[object]:
    """The objects a model is made of: a replacement is not in the optimizer, or does something else."""
    return [*model.modules(), *model.parameters()]


def _same_parts(model: nn.Module, parts: list[object]) -> bool:
    now = _parts(model)
    return len(now) == len(parts) and all(one is other for one, other in zip(now, parts, strict=True))


def _as_if_pretrained(model: nn.Module) -> None:
    """Give a new model's norms statistics as of data that they have seen."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._NormBase):
            nn.init.normal_(module.get_buffer("running_mean"), std=0.5)
            nn.init.uniform_(module.get_buffer("running_var"), 0.5, 2)
            nn.init.constant_(module.get_buffer("num_batches_tracked"), 1000)


def _values(model: nn.Module) -> dict[str, Tensor]:
    """A copy of all parameters and buffers, those included that are not saved."""
    named = [*model.named_parameters(), *model.named_buffers()]
    return {name: tensor.detach().clone() for name, tensor in named}


def _check_untouched(model: nn.Module, before: dict[str, Tensor], function: str) -> None:
    """Whether a function that sets flags and modes left all values as they were."""
    now = _values(model)
    moved = [name for name in before if not torch.equal(now[name], before[name])]
    if moved:
        raise CheckFailed(
            f"`{function}` changed the values of {len(moved)} tensors of the model, such as {moved[0]!r}. "
            "Expected it to set flags and modes alone: pretrained weights are lost, and so is what the head "
            "has learned."
        )


def _settings(module: nn.Module) -> list[tuple[str, object]]:
    """Numbers and flags of all layers in it, but not their modes."""
    return [
        (f"{name}.{key}", value)
        for name, part in module.named_modules()
        for key, value in sorted(vars(part).items())
        if key != "training" and type(value) in (bool, int, float)
    ]


def _train(model: nn.Module, optimizer: torch.optim.Optimizer, inputs: Tensor, classes: int) -> None:
    for _ in range(_STEPS):
        labels = torch.randint(classes, (len(inputs),))
        if inputs.is_floating_point():
            inputs = inputs + torch.randn(inputs.shape)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()


def _check_modes(model: Any, epoch: int) -> None:
    if not all(module.training for module in model.head.modules()):
        MISTAKES.fail("head-at-rest")
    if epoch and _training(model.backbone, nn.modules.batchnorm._NormBase):
        MISTAKES.fail("mode-set-once")


def _training(model: nn.Module, kind: type[nn.Module]) -> bool:
    return any(isinstance(module, kind) and module.training for module in model.modules())


def _check_weights(model: Any, before: dict[str, Tensor], *, frozen: bool, at_rest: bool) -> None:
    """Whether the backbone's weights stayed; `frozen` and `at_rest` say what `freeze_backbone` did to it."""
    weights = [name for name, _ in model.backbone.named_parameters(prefix="backbone")]
    now = _values(model)
    moved = [name for name in weights if not torch.equal(now[name], before[name])]
    if moved:
        if frozen:
            MISTAKES.fail("thawed-again")
        if any("requires_grad" in vars(module) for module in model.modules()):
            MISTAKES.fail("flag-on-the-module")
        if len(moved) < len(weights):
            MISTAKES.fail("partly-frozen")
        MISTAKES.fail("only-eval-mode" if at_rest else "not-frozen")


def _check_rest(model: Any, before: dict[str, Tensor], epoch: int) -> None:
    """Whether the head learned, and the backbone's buffers stayed and its dropout was off."""
    now = _values(model)
    head = [name for name, one in model.head.named_parameters(prefix="head") if one.requires_grad]
    if any(torch.equal(now[name], before[name]) for name in head):
        MISTAKES.fail("froze-the-head")
    statistics = [name for name in now if name.startswith("head.") and name.endswith("running_mean")]
    if any(torch.equal(now[name], before[name]) for name in statistics):
        MISTAKES.fail("head-at-rest")
    buffers = [name for name, _ in model.backbone.named_buffers(prefix="backbone")]
    if any(not torch.equal(now[name], before[name]) for name in buffers):
        MISTAKES.fail("mode-set-once" if epoch else "statistics-drift")
    if _training(model.backbone, nn.modules.batchnorm._NormBase):
        MISTAKES.fail("batch-statistics")
    if _training(model.backbone, nn.modules.dropout._DropoutNd):
        MISTAKES.fail("dropout-still-on")
    count_comparison()
