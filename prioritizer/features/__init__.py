"""The catalogue of fault codes, and a case as columns of numbers. Pure."""
