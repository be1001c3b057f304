"""What the soak does to the system, and the plan of when."""
