"""What time changes, looked after all day."""
