"""Personal data in texts: detection, and surrogates for it."""
