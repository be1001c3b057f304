"""The pages, one file each, with what can be done on them."""
