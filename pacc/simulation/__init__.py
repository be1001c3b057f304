"""A seeded fleet whose truth is known; the same seed gives the same bytes."""
