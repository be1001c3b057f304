"""The web application: API, console, health, alerts over HTTP."""
