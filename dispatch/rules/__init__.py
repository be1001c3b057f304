"""What dispatch decides by: pure functions and tables, no database, no clock."""
