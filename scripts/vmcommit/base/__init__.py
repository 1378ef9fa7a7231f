"""What everything else rests on. Imports nothing of ours."""
