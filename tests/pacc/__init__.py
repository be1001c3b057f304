"""Tests of `pacc/`."""
