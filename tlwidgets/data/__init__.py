"""The course's data sets: one loader and one card each.

Importing this package is quick; torch loads when sentences are first turned into tensors.
"""

from .cards import Card
from .loader import (
    DOMAINS,
    SentenceDataError,
    Sentences,
    SentenceSplit,
    load_sentences,
    sentences_card,
    split_sentences,
)
from .tensors import encode, encode_texts, task_data

__all__ = [
    "DOMAINS",
    "Card",
    "SentenceDataError",
    "SentenceSplit",
    "Sentences",
    "encode",
    "encode_texts",
    "load_sentences",
    "sentences_card",
    "split_sentences",
    "task_data",
]
