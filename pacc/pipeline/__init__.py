"""The loop and its worker: poll, decode, decide, save, commit."""
