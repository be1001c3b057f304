"""The soak: a known stream through the system while it is killed, stopped and starved."""
