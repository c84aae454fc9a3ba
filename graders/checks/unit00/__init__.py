"""Lesson 00, "Where we left off: fine-tuning LLMs": three exercises, 5 XP."""

from .lora_linear import LORA_LINEAR, check_lora_linear
from .next_token_loss import NEXT_TOKEN_LOSS, check_next_token_loss
from .perplexity import PERPLEXITY, check_perplexity

EXERCISES = (NEXT_TOKEN_LOSS, PERPLEXITY, LORA_LINEAR)

__all__ = ["EXERCISES", "check_lora_linear", "check_next_token_loss", "check_perplexity"]
