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
from .media import Media, MediaError, read_text
from .pictures import read_picture
from .sounds import one_channel, read_sound
from .tensors import encode, encode_texts, task_data

__all__ = [
    "DOMAINS",
    "STYLES",
    "Card",
    "DrawingDataError",
    "DrawingSplit",
    "Drawings",
    "Media",
    "MediaError",
    "SentenceDataError",
    "SentenceSplit",
    "Sentences",
    "drawings_card",
    "encode",
    "encode_texts",
    "load_drawings",
    "load_sentences",
    "sentences_card",
    "one_channel",
    "read_picture",
    "read_sound",
    "read_text",
    "split_drawings",
    "split_sentences",
    "task_data",
]
