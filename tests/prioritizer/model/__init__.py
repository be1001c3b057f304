"""Tests of `prioritizer/model/`."""
