"""Is it worth learning from, fair, private? Every decision is a row with a reason."""
