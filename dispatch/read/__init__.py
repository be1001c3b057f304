"""The read side of API and console: cases, tasks, queues, outcomes."""
