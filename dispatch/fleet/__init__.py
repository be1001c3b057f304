"""Fleet issues: detected, listed, their tasks held back and released."""
