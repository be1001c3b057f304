"""What ranking knows of a case: the catalogue of codes, and columns of numbers. Pure."""
