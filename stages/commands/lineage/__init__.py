"""Where rows come from, what became of them, and what changed between two revisions."""
