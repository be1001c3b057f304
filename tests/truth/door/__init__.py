"""One door: names, readings and what is quiet, for every format."""
