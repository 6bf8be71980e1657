"""Skill example files: a signature, and pairs of what a user says and the call that it means.

The format is described in docs/formats/skills.md.
"""

from stages.ingest.skills.reader import SKILL_FILES, parse_skill_file

__all__ = ["SKILL_FILES", "parse_skill_file"]
