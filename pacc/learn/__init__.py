"""From what people found to a model that ranks."""
