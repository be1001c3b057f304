"""From grouped alerts to a priority with reasons."""
