"""Readings: units, values that mean not available, bounds, and what is left out. Pure."""
