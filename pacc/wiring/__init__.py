"""Takes the settings apart and puts the parts together."""
