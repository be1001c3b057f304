"""Who may do what: people, sessions, API keys, whose rows an actor sees, requests sent twice."""
