"""OpenCUI bots: schemas, templates and recognizers.

Format: github.com/opencui/opendu, folder examples. docs/formats/opencui.md says which parts are read.
"""

from stages.ingest.opencui.bot import group_bot_files, parse_bot

__all__ = ["group_bot_files", "parse_bot"]
