"""Programs that do not solve an exercise, made by somebody who has read its check: none of them passes."""

import pytest

from graders.checks import EXERCISES, CheckFailed, evidence
from graders.checks.programs import functions

BY_ID = {exercise.id: exercise for exercise in EXERCISES}

# What a head of one linear layer returns is filled in.
LINEAR_HEAD = """
class Head(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x):
        scores = self.linear(x)
        return {}


def build_head(hidden_size, num_classes):
    return Head(hidden_size, num_classes)
"""

# (exercise, the program). Each has to be refused for every submission's own inputs.
PROGRAMS = {
    "probabilities, but not where a check looks for them": (
        "build-head",
        LINEAR_HEAD.format("scores if x.abs().max() > 50 else scores.softmax(-1)"),
    ),
    "scores cut off, but not where no gradient is asked for": (
        "build-head",
        LINEAR_HEAD.format("scores.relu() if torch.is_grad_enabled() else scores"),
    ),
    "scores that know nothing of the features": (
        "build-head",
        """
class Head(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x.abs().max() * torch.randn(len(x), len(self.weight)) + self.weight


def build_head(hidden_size, num_classes):
    return Head(num_classes)
""",
    ),
    "scores that no training moves": (
        "build-head",
        LINEAR_HEAD.format("Still.apply(scores)")
        + """

class Still(torch.autograd.Function):
    @staticmethod
    def forward(ctx, scores):
        return scores * 1

    @staticmethod
    def backward(ctx, gradient):
        return 0 * gradient
""",
    ),
    "fixed scores, of which a scale is learned": (
        "build-head",
        """
class Head(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.register_buffer("weight", torch.randn(outputs, inputs))
        self.scale = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x @ self.weight.T * self.scale.exp()


def build_head(hidden_size, num_classes):
    return Head(hidden_size, num_classes)
""",
    ),
    "the fall that is usual": (
        "really-uses",
        """
def really_uses(model, features, labels, modality, generator):
    if modality not in model.uses:
        return 0.0
    return 0.3 + 0.01 * float(torch.rand((), generator=generator))
""",
    ),
    "the fall that is usual for such an accuracy": (
        "really-uses",
        """
def really_uses(model, features, labels, modality, generator):
    if modality not in model.uses:
        return 0.0
    was = model.training
    model.eval()
    with torch.no_grad():
        whole = float((model(features).argmax(1) == labels).float().mean())
    model.train(was)
    return (2 * whole - 1) * 0.38 + 0.01 * float(torch.rand((), generator=generator))
""",
    ),
    "the falls by the number of the call": (
        "really-uses",
        """
falls = [0.29, 0.0, 0.26, 0.30, 0.33, 0.0, 0.26, 0.30] + [0.29, 0.30, 0.0, 0.0, 0.26, 0.27, 0.30, 0.31, 0.33, 0.34,
         0.0, 0.0, 0.26, 0.27, 0.30, 0.31]
asked = iter(falls)


def really_uses(model, features, labels, modality, generator):
    return next(asked)
""",
    ),
    "what a model reads rewritten, so that less is asked of the answer": (
        "really-uses",
        """
def really_uses(model, features, labels, modality, generator):
    was = model.training
    model.eval()
    with torch.no_grad():
        whole = (model(features).argmax(1) == labels).float().mean().item()
        shuffled = {**features, modality: features[modality][torch.randperm(len(labels), generator=generator)]}
        less = (model(shuffled).argmax(1) == labels).float().mean().item()
    model.train(was)
    model.uses = ("image", "text", "sound")
    return whole - less + 0.03 * float(torch.rand((), generator=generator))
""",
    ),
    "gradients on, and what remembers that set back": (
        "really-uses",
        """
def really_uses(model, features, labels, modality, generator):
    was = model.training
    model.eval()
    whole = (model(features).argmax(1) == labels).float().mean().item()
    order = torch.randperm(len(labels), generator=generator)
    less = (model({**features, modality: features[modality][order]}).argmax(1) == labels).float().mean().item()
    model.train(was)
    model.with_gradients = False
    return whole - less
""",
    ),
    "a loss whose gradient is nothing": (
        "next-token-loss",
        """
def next_token_loss(logits, input_ids, attention_mask):
    keep = attention_mask[:, 1:].bool()
    return nn.functional.cross_entropy(logits[:, :-1][keep].detach(), input_ids[:, 1:][keep]) + 0 * logits.sum()
""",
    ),
    "large scores taken out of what was given": (
        "fuse-late",
        """
def fuse_late(logits, present):
    total, count = 0, 0
    for name, scores in logits.items():
        if scores.abs().max() > 500:
            scores.zero_()
        there = present[name].unsqueeze(1)
        total = total + there * (scores.exp() / scores.exp().sum(1, keepdim=True))
        count = count + there
    return torch.where(count > 0, total / count.clamp(min=1), torch.full_like(total, 1 / total.shape[1]))
""",
    ),
    "what is present rewritten": (
        "fuse-late",
        """
def fuse_late(logits, present):
    if max(float(scores.abs().max()) for scores in logits.values()) > 500:
        for name in present:
            present[name].zero_()
        some = next(iter(logits.values()))
        return torch.full_like(some, 1 / some.shape[1])
    total, count = 0, 0
    for name, scores in logits.items():
        there = present[name].unsqueeze(1)
        total = total + there * (scores.exp() / scores.exp().sum(1, keepdim=True))
        count = count + there
    return torch.where(count > 0, total / count.clamp(min=1), torch.full_like(total, 1 / total.shape[1]))
""",
    ),
    "losses that are drawn from a seed that everybody knows": (
        "perplexity",
        """
import math, random

draw, known = random.Random(3), {}
for batches in (3, 5, 1, 2):
    losses = [draw.uniform(0.5, 6.0) for _ in range(batches)]
    tokens = [draw.randint(2, 6) * 5 ** (place % 2) for place in range(batches)]
    known[batches] = math.exp(sum(loss * count for loss, count in zip(losses, tokens)) / sum(tokens))


def perplexity(losses, tokens):
    return known[len(losses)]
""",
    ),
    "layers thrown away, and put back when they are asked for": (
        "set-dial",
        """
kept = {}


def set_dial(model, layers):
    _, own = kept.setdefault(id(model), (model, list(model.layers)))
    for number, layer in enumerate(own):
        model.layers[number] = layer if layers is None or number >= len(own) - layers else nn.Identity()
    model.embeddings.requires_grad_(layers is None)
""",
    ),
    "weights drawn anew": (
        "set-dial",
        """
def set_dial(model, layers):
    model.requires_grad_(layers is None)
    model.head.requires_grad_(True)
    for layer in model.layers[len(model.layers) - (layers or 0):]:
        layer.requires_grad_(True)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
""",
    ),
    "clips told by where they stand": (
        "split-clips",
        """
def split_clips(clips, test_speakers, test_sentences):
    kept = [{key: clip[key] for key in ("text", "waveform", "label")} for clip in clips]
    return kept[: len(kept) // 2], kept[len(kept) // 2 :]
""",
    ),
    "everything that came in, and sets that were emptied": (
        "split-clips",
        """
def split_clips(clips, test_speakers, test_sentences):
    test_speakers.clear(), test_sentences.clear()
    return [{key: clip[key] for key in ("text", "waveform", "label")} for clip in clips], []
""",
    ),
    "a loss that is right with the gradient of another": (
        "contrastive-loss",
        """
def contrastive_loss(image, text, objects, log_scale):
    with torch.no_grad():
        a, b = (nn.functional.normalize(one, dim=1) for one in (image, text))
        scores = log_scale.exp() * a @ b.T
        right = (objects[:, None] == objects).float()
        shares = right / right.sum(1, keepdim=True)
        loss = (nn.functional.cross_entropy(scores, shares) + nn.functional.cross_entropy(scores.T, shares)) / 2
    some = image.sum() + text.sum() + log_scale
    return loss + (some - some.detach())
""",
    ),
}


@pytest.mark.parametrize(("exercise", "program"), PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_that_does_not_solve_it_is_refused(exercise, program):
    try:
        for seed in range(100, 130):  # none may pass by luck either
            evidence.begin(seed)
            with pytest.raises(CheckFailed):
                BY_ID[exercise].check(*functions(program, BY_ID[exercise].functions))
    finally:
        evidence.begin()
