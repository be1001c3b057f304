"""The nouns of PACC: alerts, batches, cases, words and tables. Imports none of ours."""
