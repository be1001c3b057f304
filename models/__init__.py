"""The nouns: alerts, batches, cases, vocabularies, errors, tables."""
