"""Tests of `pacc/pipeline/`."""
