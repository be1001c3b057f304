"""Tests of the image, compose file, alarms and dashboard."""
