"""Tests of `pacc/simulation/`."""
