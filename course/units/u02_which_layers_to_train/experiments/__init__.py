"""Unit 02: feature extraction, partial and full fine-tuning, or from scratch.

Two target tasks on the same film snippets. Near the source: liked or not, a matter of meaning, which the
backbone was trained for. Far from it: long or short, a matter of form, which its pooled vectors hardly keep
(unit 01). On each the four places on the dial fight in an arena with 16, 128 and 1,024 examples. Then: what
fine-tuning forgets, and BatchNorm.
"""

from course.claims import Claim, Lesson

from .arena import (
    EXTRACTION,
    FAR,
    FULL,
    NEAR,
    PARTIAL,
    RATES,
    SCRATCH,
    SIZES,
    TEST,
    VALID,
    arena,
    classifier,
    keep_records,
    measure_arena,
    recorded,
    task,
)
from .batch_norm import digit_network, fall_into_the_trap, measure_trap
from .forgetting import DECAY, GENTLE_RATE, NAIVE_RATE, fine_tune_far, learned_source, measure_forgetting

__all__ = [
    "DECAY",
    "EXTRACTION",
    "FAR",
    "FULL",
    "GENTLE_RATE",
    "LESSON",
    "NAIVE_RATE",
    "NEAR",
    "PARTIAL",
    "RATES",
    "SCRATCH",
    "SIZES",
    "TEST",
    "VALID",
    "arena",
    "classifier",
    "digit_network",
    "fall_into_the_trap",
    "fine_tune_far",
    "learned_source",
    "recorded",
    "task",
]


def _cell(task_name: str, examples: int, contender: str) -> str:
    return f"{task_name}, {examples}, {contender}"


_FAIR = "(same sentences, steps and batches; each with the better of two rates, chosen on validation data)"

LESSON = Lesson(
    id="02",
    experiments={"arena": measure_arena, "forgetting": measure_forgetting, "trap": measure_trap},
    claims=(
        Claim(
            "near-few-frozen-beats-scratch",
            "02",
            "Near task, 16 examples: a frozen backbone with a trained head beats training from scratch "
            f"{_FAIR}.",
            "arena",
            _cell("near", 16, EXTRACTION),
            _cell("near", 16, SCRATCH),
        ),
        Claim(
            "near-many-pretrained-beats-scratch",
            "02",
            f"Near task, 1,024 examples: full fine-tuning beats training from scratch {_FAIR}.",
            "arena",
            _cell("near", 1024, FULL),
            _cell("near", 1024, SCRATCH),
        ),
        Claim(
            "far-many-tuned-beats-frozen",
            "02",
            f"Far task, 1,024 examples: full fine-tuning beats a frozen backbone {_FAIR}.",
            "arena",
            _cell("far", 1024, FULL),
            _cell("far", 1024, EXTRACTION),
        ),
        Claim(
            "far-few-scratch-beats-frozen",
            "02",
            f"Far task, 128 examples: training from scratch beats a frozen backbone {_FAIR}.",
            "arena",
            _cell("far", 128, SCRATCH),
            _cell("far", 128, EXTRACTION),
        ),
        Claim(
            "naive-forgets-more",
            "02",
            "Fine-tuning everything on the far task at one high rate loses more of the near task than rates "
            "that fall towards the early layers.",
            "forgetting",
            "forgotten, one high rate",
            "forgotten, discriminative rates",
        ),
        Claim(
            "batch-norm-trap",
            "02",
            "A network with BatchNorm whose weights are frozen by `requires_grad` alone knows less of its "
            "source digits after a new head was trained on other digits in training mode.",
            "trap",
            "before",
            "after, flags alone",
        ),
        Claim(
            "batch-norm-held",
            "02",
            "With the backbone in `eval` while the head trains, none of its weights and buffers changes.",
            "trap",
            "held tensors changed",
            unit="tensors",
        ),
    ),
    records={"arena": keep_records},
)
