"""Tests of `prioritizer/ranking/`."""
