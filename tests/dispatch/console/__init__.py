"""Tests of `dispatch/console/`."""
