"""Tests of `pacc/feeds/`."""
