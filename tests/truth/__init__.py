"""What is said is held against lists that nobody here wrote, and against itself."""
