"""Recompute every hash and every row count of the chain from raw files to reports."""
