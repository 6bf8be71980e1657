"""The evaluations of two revisions, compared row by row."""
