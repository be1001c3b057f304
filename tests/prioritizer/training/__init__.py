"""Tests of `prioritizer/training/`."""
