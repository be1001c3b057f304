"""Duplicates, faults, folding and cases of one vehicle. Pure."""
