"""What every process needs: settings, database engine, logs, clock, signals."""
