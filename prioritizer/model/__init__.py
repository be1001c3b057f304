"""The trained model at run time: arrays, signature, registry. No scikit-learn."""
