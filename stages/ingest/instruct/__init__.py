"""Instructions with replies, which ask for no call. The formats are described in docs/formats/instruct.md."""

from stages.ingest.instruct.reader import INSTRUCT_FILES, parse_instruct_file

__all__ = ["INSTRUCT_FILES", "parse_instruct_file"]
