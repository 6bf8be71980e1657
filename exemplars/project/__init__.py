"""A user's own project: its pipeline, its files, and the version of the code that it depends on."""
