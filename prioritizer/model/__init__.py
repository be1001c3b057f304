"""The trained model at run time: arrays alone, its signature, its registry."""
