"""Erase rows for good: plan, redact raw files, purge the cache and the remote, write a receipt."""
