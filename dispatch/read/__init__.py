"""What is read for pages, API and console: cases, tasks, changes, outcomes."""
