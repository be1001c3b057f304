"""Logging in and out, and who is at work."""
