"""Tests of `ingest/formats/`."""
