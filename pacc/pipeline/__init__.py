"""The loop of `pacc run`: poll, decode, decide, save, commit."""
