"""Tests of `pacc/commands/`."""
