"""Fleet-wide issues: found, shown, and their tasks held back and let go."""
