"""Logging in and out, sessions, OpenID Connect."""
