"""What vehicles and faults are called: one spelling of each, whoever wrote it."""
