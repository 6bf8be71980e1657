"""Trained models that answer a question: the tagger, a language model, or both."""
