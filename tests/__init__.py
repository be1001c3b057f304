"""Tests lie in the folder of the thing that they test; worlds and fixtures are here."""
