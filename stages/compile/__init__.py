"""Compiles records into exemplars: what each record means, and where its utterance says each value."""
