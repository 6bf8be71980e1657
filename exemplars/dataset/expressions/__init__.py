"""Expressions in text: words, numbers, dates, times, amounts, and where a value is mentioned."""
