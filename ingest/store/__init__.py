"""What the pipeline reads and writes in the database."""
