"""Trace rows to their origin, and compare two revisions."""
