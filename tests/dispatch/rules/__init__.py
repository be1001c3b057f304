"""Tests of `dispatch/rules/`."""
