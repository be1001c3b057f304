"""From a priority to a person."""
