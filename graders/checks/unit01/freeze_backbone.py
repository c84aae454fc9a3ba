"""Exercise 2: `freeze_backbone(model)` and `start_epoch(model)`: frozen by effect, while the head learns.

`model` has a `.backbone` and a `.head`. Two small models are trained as a training loop would (AdamW with decay, a
validation pass between epochs); then every byte of the backbone is compared.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..evidence import held
from ..mistakes import Catalogue, CheckFailed, Exercise, Mistake
from ..running import call, quiet
from ..shared import shared_module

_EPOCHS, _STEPS, _BATCH, _INPUTS, _CLASSES = 2, 2, 8, 6, 3

_GOOD_START = "def start_epoch(model):\n    model.train()\n    model.backbone.eval()\n"
_GOOD_FREEZE = "def freeze_backbone(model):\n    model.backbone.requires_grad_(False)\n\n\n"

_CATALOGUE = Catalogue(
    Mistake(
        "flag-on-the-module",
        "The backbone's weights moved. `requires_grad` was set on the module, which is a new attribute that nothing reads: "
        "each parameter has its own.",
        (
            "Loop over `model.backbone.parameters()` and set the flag of each.",
            "Or call `requires_grad_(False)`.",
        ),
        "def freeze_backbone(model):\n    model.backbone.requires_grad = False\n\n\n" + _GOOD_START,
    ),
    Mistake(
        "not-frozen",
        "The backbone's weights moved: after `freeze_backbone` their `requires_grad` is still True.",
        (
            "Set it to False for each of `model.backbone.parameters()`; a name that is spelt otherwise makes a new attribute.",
            "`requires_grad_(False)`, called on the backbone itself.",
        ),
        "def freeze_backbone(model):\n    for parameter in model.backbone.parameters():\n        parameter.detach()\n\n\n"
        + _GOOD_START,
    ),
    Mistake(
        "thawed-again",
        "The backbone's weights moved: `freeze_backbone` froze them, and `start_epoch` lets them learn again.",
        ("`start_epoch` sets modes. Leave `requires_grad` as it is there.",),
        _GOOD_FREEZE + _GOOD_START + "    model.requires_grad_(True)\n",
    ),
    Mistake(
        "only-eval-mode",
        "The backbone's weights moved. `eval()` switches dropout and running statistics off; it does not stop gradients.",
        ("Every parameter has a switch, `requires_grad`, that tells PyTorch to compute no gradient for it.",),
        "def freeze_backbone(model):\n    model.backbone.eval()\n\n\n" + _GOOD_START,
    ),
    Mistake(
        "partly-frozen",
        "Some of the backbone's weights moved, others did not: only a part of it is frozen.",
        ("`model.backbone.parameters()` gives all of them: biases and normalisation layers as well.",),
        "def freeze_backbone(model):\n    for name, parameter in model.backbone.named_parameters():\n"
        "        if 'weight' in name:\n            parameter.requires_grad = False\n\n\n" + _GOOD_START,
    ),
    Mistake(
        "froze-the-head",
        "The head did not learn: its weights are frozen, too. Only the backbone should be.",
        ("Freeze `model.backbone`, not `model`.",),
        "def freeze_backbone(model):\n    model.requires_grad_(False)\n\n\n" + _GOOD_START,
    ),
    Mistake(
        "statistics-drift",
        "The backbone's weights stayed, but its buffers moved: BatchNorm's running statistics change whenever the backbone "
        "is in training mode, without any gradient.",
        (
            "In which mode does BatchNorm leave its statistics alone? Put the backbone in it, after `model.train()`.",
        ),
        _GOOD_FREEZE + "def start_epoch(model):\n    model.train()\n",
    ),
    Mistake(
        "mode-set-once",
        "In the first epoch the backbone was at rest, in a later one its mode was switched back on. `start_epoch` runs before "
        "each epoch: set the mode there, not in `freeze_backbone`.",
        ("`model.train()` reaches every part of the model. Call it first, then put the backbone back.",),
        "def freeze_backbone(model):\n    model.backbone.requires_grad_(False)\n    model.train()\n"
        "    model.backbone.eval()\n    model.epochs = 0\n\n\n"
        "def start_epoch(model):\n    model.epochs += 1\n    if model.epochs > 1:\n        model.train()\n",
    ),
    Mistake(
        "batch-statistics",
        "Weights and buffers stayed, but BatchNorm in the backbone is in training mode: it normalises by each batch, so that a "
        "sentence's features depend on those beside it.",
        ("Put the whole backbone in `eval()`, after `model.train()`.",),
        _GOOD_FREEZE
        + "def start_epoch(model):\n    model.train()\n    for module in model.backbone.modules():\n"
        "        module.track_running_stats = False\n"
        "        if isinstance(module, nn.Dropout):\n            module.eval()\n",
    ),
    Mistake(
        "dropout-still-on",
        "Weights and statistics stayed, but dropout is on in the backbone, so the same sentence gives other features each "
        "time.",
        ("Put the whole backbone in `eval()`, not its normalisation layers alone.",),
        _GOOD_FREEZE
        + "def start_epoch(model):\n    model.train()\n    for module in model.backbone.modules():\n"
        "        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):\n            module.eval()\n",
    ),
    Mistake(
        "head-at-rest",
        "The head is in evaluation mode while it should learn, so its dropout is off. Only the backbone should be at rest.",
        ("`model.train()` for all, then `.eval()` for the backbone alone.",),
        _GOOD_FREEZE + "def start_epoch(model):\n    model.eval()\n",
    ),
    Mistake(
        "changed-the-model",
        "The model is not the same as before: layers of the backbone were removed or replaced. Freezing leaves the model as it "
        "is and only stops its learning.",
        ("Change flags and modes, not layers.",),
        "def freeze_backbone(model):\n    model.backbone = nn.Linear(6, 8).requires_grad_(False)\n\n\n"
        + _GOOD_START,
    ),
)


@shared_module
class _Model(nn.Module):
    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(8, _CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.backbone(x))


def _models() -> list[_Model]:
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
    return [_Model(chain), _Model(picture)]


@quiet
def check_freeze_backbone(freeze_backbone, start_epoch) -> None:
    """Train two small models with the student's functions and see what moved.

    Raises:
        CheckFailed: with the mistake it looks like.
    """
    for model in _models():
        _check(model, freeze_backbone, start_epoch)


def _check(model: _Model, freeze_backbone, start_epoch) -> None:
    made_of, names = _parts(model), list(model.state_dict())
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    call(freeze_backbone, model, what="freeze_backbone(model)")
    still = [parameter.requires_grad for parameter in model.backbone.parameters()]
    at_rest = not model.backbone.training
    if not _same_parts(model, made_of) or list(model.state_dict()) != names:
        _CATALOGUE.fail("changed-the-model")
    # Decay moves weights without a gradient. Of the backbone that is looked for; the head has to learn.
    groups = [
        {"params": model.backbone.parameters(), "weight_decay": 0.1},
        {"params": model.head.parameters()},
    ]
    optimizer = torch.optim.AdamW(groups, lr=0.05, weight_decay=0.0)
    for epoch in range(_EPOCHS):
        call(start_epoch, model, what="start_epoch(model)")
        if not _same_parts(model, made_of):
            _CATALOGUE.fail("changed-the-model")
        _check_modes(model, epoch)
        try:
            _train(model, optimizer)
        except RuntimeError as error:
            if not any(parameter.requires_grad for parameter in model.parameters()):
                _CATALOGUE.fail("froze-the-head")
            raise CheckFailed(f"Training stopped after your functions ran: {error}") from error
        _check_weights(model, before, frozen=not any(still), at_rest=at_rest)
        _check_rest(model, before, epoch)
        model.eval()  # as a validation pass does


def _parts(model: nn.Module) -> list[object]:
    """The very objects that it is made of: one that took the place of another is in no optimizer, or does something else."""
    return [*model.modules(), *model.parameters()]


def _same_parts(model: nn.Module, parts: list[object]) -> bool:
    now = _parts(model)
    return len(now) == len(parts) and all(one is other for one, other in zip(now, parts, strict=True))


def _train(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    for _ in range(_STEPS):
        inputs, labels = 3 * torch.randn(_BATCH, _INPUTS) + 1, torch.randint(_CLASSES, (_BATCH,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()


def _check_modes(model: _Model, epoch: int) -> None:
    if not all(module.training for module in model.head.modules()):
        _CATALOGUE.fail("head-at-rest")
    if epoch and _training(model.backbone, nn.modules.batchnorm._NormBase):
        _CATALOGUE.fail("mode-set-once")


def _training(model: nn.Module, kind: type[nn.Module]) -> bool:
    return any(isinstance(module, kind) and module.training for module in model.modules())


def _check_weights(model: _Model, before: dict[str, Tensor], *, frozen: bool, at_rest: bool) -> None:
    """Whether the backbone's weights stayed; `frozen` and `at_rest` say what `freeze_backbone` made of it."""
    weights = [name for name, _ in model.backbone.named_parameters(prefix="backbone")]
    now = model.state_dict()
    moved = [name for name in weights if not torch.equal(now[name], before[name])]
    if moved:
        if frozen:
            _CATALOGUE.fail("thawed-again")
        if any("requires_grad" in vars(module) for module in model.modules()):
            _CATALOGUE.fail("flag-on-the-module")
        if len(moved) < len(weights):
            _CATALOGUE.fail("partly-frozen")
        _CATALOGUE.fail("only-eval-mode" if at_rest else "not-frozen")


def _check_rest(model: _Model, before: dict[str, Tensor], epoch: int) -> None:
    """Whether the head learned, and the backbone's buffers and dropout were at rest."""
    now = model.state_dict()
    head = [name for name, _ in model.head.named_parameters(prefix="head")]
    if any(torch.equal(now[name], before[name]) for name in head):
        _CATALOGUE.fail("froze-the-head")
    buffers = [name for name, _ in model.backbone.named_buffers(prefix="backbone")]
    if any(not torch.equal(now[name], before[name]) for name in buffers):
        _CATALOGUE.fail("mode-set-once" if epoch else "statistics-drift")
    if _training(model.backbone, nn.modules.batchnorm._NormBase):
        _CATALOGUE.fail("batch-statistics")
    if _training(model.backbone, nn.modules.dropout._DropoutNd):
        _CATALOGUE.fail("dropout-still-on")
    held()


FREEZE_BACKBONE = Exercise(
    id="freeze-backbone",
    unit="01-transfer-learning",
    points=2,
    title="Freeze by effect",
    functions=("freeze_backbone", "start_epoch"),
    check=check_freeze_backbone,
    mistakes=_CATALOGUE.mistakes,
    right=(
        _GOOD_FREEZE + _GOOD_START,
        "def freeze_backbone(model):\n    for parameter in model.backbone.parameters():\n"
        "        parameter.requires_grad = False\n\n\n"
        "def start_epoch(model):\n    model.head.train()\n    model.backbone.train(False)\n",
        "def freeze_backbone(model):\n    model.backbone.requires_grad_(False)\n    model.backbone.eval()\n"
        "    model.backbone.train = lambda mode=True: model.backbone\n\n\n"
        "def start_epoch(model):\n    model.train()\n",
    ),
    equivalent=(
        ("parameter.grad = None => pass", "a training loop clears gradients before each step"),
        (
            "model.backbone.train = lambda mode=True: model.backbone => model.backbone.train = lambda mode=False: model.backbone",
            "the mode is not looked at",
        ),
    ),
)
