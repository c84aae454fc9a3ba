"""Unit 01, "Transfer learning"."""
