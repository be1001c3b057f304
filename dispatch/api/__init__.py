"""The HTTP API of people and of programs that work for them."""
