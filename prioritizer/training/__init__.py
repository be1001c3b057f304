"""Trains, evaluates, reports and packs models; the only room with scikit-learn."""
