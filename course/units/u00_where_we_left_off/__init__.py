"""Unit 00, "Where we left off: fine-tuning LLMs"."""
