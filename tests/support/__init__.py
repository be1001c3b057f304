"""The application, people, floods and commands that tests of many rooms use."""
