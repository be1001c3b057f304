"""The system under test: its children, its database, and the guards that controls take away."""
