"""Turns settings into plain arguments and puts the parts together."""
