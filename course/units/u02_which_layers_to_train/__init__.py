"""Unit 02, "Transfer learning, fine-tuning or from scratch?"."""
