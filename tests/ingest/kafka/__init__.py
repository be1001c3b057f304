"""Tests of `ingest/kafka/`."""
