"""Streams beside Kafka's topics: HTTP, redrives, the fast lane."""
