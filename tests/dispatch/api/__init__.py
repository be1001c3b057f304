"""Tests of `dispatch/api/`."""
