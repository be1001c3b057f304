"""Tests of `pacc/learn/`."""
