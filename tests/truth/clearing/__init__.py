"""What may end a fault: an answer that asked for it, is newer, and did not find it."""
