"""OpenCUI bots: schemas, templates and recognizers.

Format: github.com/opencui/opendu, folder examples. What is taken of it: docs/formats/opencui.md.
"""

from stages.ingest.opencui.bot import bots_of, parse_bot

__all__ = ["bots_of", "parse_bot"]
