"""Answers for an auditor: revisions, lineage, verification, erasure."""
