"""Tests of `pacc/reconcile/`."""
