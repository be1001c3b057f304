"""A real PostgreSQL, Apache Kafka and Chromium, started for the tests."""
