"""Decoders: one file for each format that a topic may carry. Pure."""
