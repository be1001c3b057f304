"""Tests of `pacc/tend/`."""
