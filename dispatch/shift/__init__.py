"""What people at work leave beside tasks: notes, presence, hand-overs, tow cards."""
