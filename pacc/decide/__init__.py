"""The product as pure functions: decide, and what it follows and decides by."""
