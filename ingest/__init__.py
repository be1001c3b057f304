"""From bytes to grouped alerts."""
