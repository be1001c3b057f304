"""The product as one pure function: what a batch of alerts changes."""
