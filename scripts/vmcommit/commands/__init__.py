"""One file a command; each has main(arguments) and returns the exit status."""
