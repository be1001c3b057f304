"""Tests of `dispatch/fleet/`."""
