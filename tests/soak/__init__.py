"""The soak: a known stream while the system is killed, stopped and starved."""
