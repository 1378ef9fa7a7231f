"""What got slower between two sides, and since when."""
