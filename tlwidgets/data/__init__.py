"""The course's data sets: one loader and one card each.

Importing this package is quick; torch loads when sentences are first turned into tensors.
"""

from .cards import Card
from .drawings import (
    STYLES,
    DrawingDataError,
    Drawings,
    DrawingSplit,
    drawings_card,
    load_drawings,
    split_drawings,
)
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
    "STYLES",
    "Card",
    "DrawingDataError",
    "DrawingSplit",
    "Drawings",
    "SentenceDataError",
    "SentenceSplit",
    "Sentences",
    "drawings_card",
    "encode",
    "encode_texts",
    "load_drawings",
    "load_sentences",
    "sentences_card",
    "split_drawings",
    "split_sentences",
    "task_data",
]
