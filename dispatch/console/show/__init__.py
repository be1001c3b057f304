"""Presentation: templates, languages, places, forms, refusals. No SQL."""
