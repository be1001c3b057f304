"""Master data in, events out, and old rows cleared."""
