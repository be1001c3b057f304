"""Tests of `ingest/readings/`."""
