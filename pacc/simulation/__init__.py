"""A seeded fleet whose truth is known. Pure: the same seed gives the same bytes."""
