"""Who may do what: people, sessions, API keys, and whose rows an actor sees."""
