"""Unit 03, "Multimodal models"."""
