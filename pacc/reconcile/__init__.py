"""Whether everything that came is accounted for: from Kafka's offsets to what has left."""
