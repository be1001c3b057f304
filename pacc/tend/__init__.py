"""The loop of `pacc tend`: what changes because time passes."""
