"""Tests of `prioritizer/`."""
