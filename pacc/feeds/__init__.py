"""Records that do not come from a topic: HTTP, redrive, fast lane and scout."""
