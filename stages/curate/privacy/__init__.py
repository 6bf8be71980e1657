"""Personal data in texts: found, told apart from labels, and replaced where that is asked for."""
