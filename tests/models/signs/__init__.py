"""Tests of `models/signs/`."""
