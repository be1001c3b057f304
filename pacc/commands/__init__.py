"""The commands of `pacc`, each in the file of its name; the registry lists them."""
