"""Skill example files: a signature, and pairs of what a user says and the call that it means.

The format is described in docs/formats/skills.md.
"""

from stages.ingest.skills.reader import parse_skill_file

__all__ = ["parse_skill_file"]
