"""Readings: what PACC knows of each, for the door that drops them and the rules that ask."""
