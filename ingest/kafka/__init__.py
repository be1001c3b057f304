"""Clients of Kafka: the only room that imports it."""
