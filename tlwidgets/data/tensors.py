"""Sentences as the tensors that `tlwidgets.train` trains on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .sentences import Sentences, SentenceSplit

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


def encode_texts(
    texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, max_length: int = 24
) -> dict[str, Tensor]:
    """Texts for a language model: `input_ids`, `attention_mask` and `labels`, all (texts, max_length) and
    int64.

    Each text ends with the tokenizer's end-of-text token, unless it is cut. Labels are the token ids, and
    -100 at padding, which losses leave out.

    Raises ValueError where the tokenizer has no end-of-text or no padding token.
    """
    if tokenizer.eos_token is None or tokenizer.pad_token is None:
        raise ValueError(
            "This tokenizer lacks an end-of-text or a padding token. Set tokenizer.eos_token and "
            "tokenizer.pad_token."
        )
    batch = tokenizer(
        [text + tokenizer.eos_token for text in texts],
        padding="max_length",
        padding_side="right",
        truncation=True,
        max_length=max_length,
        return_tensors="pt",
    )
    ids, mask = batch["input_ids"], batch["attention_mask"]
    # By the mask: some tokenizers pad with the token that ends a text.
    return {"input_ids": ids, "attention_mask": mask, "labels": ids.masked_fill(mask == 0, -100)}


def task_data(split: SentenceSplit, tokenizer: PreTrainedTokenizerBase, max_length: int = 32) -> TaskData:
    """A split, ready for `fit` and `TrainPanel`; a part without sentences is None."""
    from tlwidgets.train import TaskData

    parts: dict[str, Any] = {
        name: encode(part, tokenizer, max_length) if len(part) else None
        for name, part in (("train", split.train), ("valid", split.valid), ("test", split.test))
    }
    return TaskData(**parts)
