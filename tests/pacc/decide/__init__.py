"""Tests of `pacc/decide/`."""
