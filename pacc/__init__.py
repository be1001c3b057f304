"""The application: the only package that imports the others."""

__version__ = "0.1.0"
