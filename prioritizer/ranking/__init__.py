"""Rules, score, bands and reasons. Pure."""
