"""The one read side of API, console and commands, as typed rows."""
