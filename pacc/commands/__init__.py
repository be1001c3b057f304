"""The commands of `pacc`, one file for each group."""
