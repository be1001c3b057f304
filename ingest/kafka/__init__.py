"""Kafka clients: the only room that imports kafka-python."""
