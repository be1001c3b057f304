"""Hand-written YAML: values with their lines, fields taken apart, mistakes as sentences."""
