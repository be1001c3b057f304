"""Tests of `dispatch/tasks/`."""
