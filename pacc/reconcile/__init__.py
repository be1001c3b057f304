"""Compares Kafka, positions, ledger, alerts, cases, tasks and outbox."""
