"""The nouns of PACC: wire models, words, batches, cases and tables. Imports none of the other packages."""
