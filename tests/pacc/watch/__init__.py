"""Tests of `pacc/watch/`."""
