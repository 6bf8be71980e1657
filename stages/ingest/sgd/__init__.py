"""Dialogues in the format of the Schema-Guided Dialogue dataset.

Format: README of github.com/google-research-datasets/dstc8-schema-guided-dialogue.
"""
