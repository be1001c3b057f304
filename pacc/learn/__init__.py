"""Trains models from what people found, promotes them, and loads the one that ranks."""
