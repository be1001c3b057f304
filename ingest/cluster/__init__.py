"""Which alerts are one fault, one case, one delivery. Pure."""
