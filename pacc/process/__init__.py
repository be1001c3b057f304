"""What every process of ours has: settings, database, logs, clock, signals."""
