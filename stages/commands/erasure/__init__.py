"""Erasing for good: the plan, the raw files, the objects of DVC's cache and remote, the receipt."""
