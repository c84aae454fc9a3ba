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
    drawn_alike,
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
from .speech import (
    Speech,
    SpeechDataError,
    SpeechSplit,
    load_prosodies,
    load_sarcasm,
    load_words,
    speech_card,
    split_speech,
)
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
    "Speech",
    "SpeechDataError",
    "SpeechSplit",
    "drawings_card",
    "drawn_alike",
    "encode",
    "encode_texts",
    "load_drawings",
    "load_prosodies",
    "load_sarcasm",
    "load_sentences",
    "load_words",
    "sentences_card",
    "one_channel",
    "read_picture",
    "read_sound",
    "read_text",
    "speech_card",
    "split_drawings",
    "split_sentences",
    "split_speech",
    "task_data",
]
