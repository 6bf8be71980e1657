"""Asking a model for more examples, and what became of them: the work of `exemplars generate`."""
