"""Crash points: a child dies at every one of them in turn, and nothing shows that it did."""
