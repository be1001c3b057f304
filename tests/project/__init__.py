"""The project itself: its documents, its words, its map."""
