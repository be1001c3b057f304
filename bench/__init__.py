"""Benchmarks: ratios of one run on one machine, never a timed test."""
