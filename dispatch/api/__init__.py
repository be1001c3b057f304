"""The HTTP API of the people."""
