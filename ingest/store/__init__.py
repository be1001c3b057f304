"""The pipeline's tables: positions, ledger, alerts, quarantine, batches."""
