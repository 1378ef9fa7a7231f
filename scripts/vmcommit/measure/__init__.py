"""What runs harnesses and writes rows; it judges and draws nothing."""
