"""Tests of `dispatch/data/`."""
