"""Task lifecycle, routing, deadlines, cadence, events. Pure."""
