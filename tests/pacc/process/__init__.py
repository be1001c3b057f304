"""Tests of `pacc/process/`."""
