"""Master data in, events out, old rows purged."""
