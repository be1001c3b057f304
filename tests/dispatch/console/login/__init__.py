"""Tests of `dispatch/console/login/`."""
