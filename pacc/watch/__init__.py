"""Health: metrics, the watchdog of a stuck consumer, and the canary."""
