"""Names: codes, vehicles and words in any usual spelling become ours. PURE."""
