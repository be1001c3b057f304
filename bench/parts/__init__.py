"""What several benchmarks share: figures, streams, observers."""
