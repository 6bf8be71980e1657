"""Renaming a skill or a parameter in the sources, so that nothing else changes."""
