"""How pages show things: templates, languages, places, rows, forms, refusals."""
