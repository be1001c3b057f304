"""Rules, score, bands, and the sentences that explain a priority. Pure."""
