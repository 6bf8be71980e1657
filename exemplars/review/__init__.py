"""Rows that people look at and decide on."""
