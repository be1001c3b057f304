"""How the system knows that it works: watchdog, canary, metrics."""
