"""Tests of `dispatch/read/`."""
