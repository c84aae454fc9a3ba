"""Loading text models, offline and without noise: backbones that give vectors, and language models."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .convert import converted_folder
from .registry import find_backbone
from .weights import checked_folder

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_text_backbone(
    name: str = "minilm", *, from_scratch: bool = False, seed: int = 0
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A pretrained text model and its tokenizer, from the installed package: offline and without noise.

    With `from_scratch=True` the same architecture comes with random weights, drawn from `seed`; the caller's
    random state is left as it was. The model is in evaluation mode either way. It puts out
    `last_hidden_state` of shape (sentences, word pieces, hidden_size). The pooler that BERT adds for guessing
    the next sentence is left out: this backbone's makers did not use it.

    Raises `UnknownBackboneError`, `MissingWeightsError`, `DamagedWeightsError`.
    """
    folder = checked_folder(find_backbone(name, "load_text_backbone"))

    import torch
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    with _quiet():
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        if from_scratch:
            config = AutoConfig.from_pretrained(folder, local_files_only=True)
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                model = AutoModel.from_config(config, add_pooling_layer=False)
        else:
            model = AutoModel.from_pretrained(folder, local_files_only=True, add_pooling_layer=False)
    return model.eval(), tokenizer


def load_language_model(name: str = "smollm2") -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A pretrained causal language model and its tokenizer, in 32 bits and in evaluation mode.

    Token ids of shape (texts, tokens) give `logits` of shape (texts, tokens, vocabulary): scores for the
    token that comes next after each. The weights are unpacked once, by `tlcourse setup` or else by the first
    call, which says so.

    Raises `UnknownBackboneError`, `MissingWeightsError`, `DamagedWeightsError`, `ConversionError`.
    """
    folder = converted_folder(find_backbone(name, "load_language_model"))

    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with _quiet():
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    return model.eval(), tokenizer


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars and no reports on stderr: a graded cell that writes there would lose its points."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
