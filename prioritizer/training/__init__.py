"""How a model is trained, judged, reported and packed."""
