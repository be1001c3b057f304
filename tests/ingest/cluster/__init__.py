"""Tests of faults, cases and what explains what: the pure heart of ingest."""
