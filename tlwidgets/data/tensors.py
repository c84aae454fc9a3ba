"""Sentences as the tensors that `tlwidgets.train` trains on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .loader import Sentences, SentenceSplit

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

    from tlwidgets.train import TaskData


def encode(
    sentences: Sentences, tokenizer: PreTrainedTokenizerBase, max_length: int = 32
) -> dict[str, Tensor]:
    """`input_ids` and `attention_mask`, both (sentences, max_length), and `labels` (sentences,), all int64.

    Longer sentences are cut, shorter ones padded, so that every batch has the same shape and cost.
    """
    import torch

    batch = tokenizer(
        list(sentences.texts),
        padding="max_length",
        truncation=True,
        max_length=max_length,
        return_tensors="pt",
    )
    return {
        "input_ids": batch["input_ids"],
        "attention_mask": batch["attention_mask"],
        "labels": torch.tensor(sentences.labels, dtype=torch.int64),
    }


def task_data(split: SentenceSplit, tokenizer: PreTrainedTokenizerBase, max_length: int = 32) -> TaskData:
    """A split, ready for `fit` and `TrainPanel`; a part without sentences is None."""
    from tlwidgets.train import TaskData

    parts = {
        name: encode(part, tokenizer, max_length) if len(part) else None
        for name, part in (("train", split.train), ("valid", split.valid), ("test", split.test))
    }
    return TaskData(**parts)
