"""The digest that a row had in version 1: runs that were trained before know it by that."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

CONTENT: Final = ("utterance", "speaker", "context", "skill", "mode", "arguments", "reply")
"""The columns that a digest is computed from."""
_SPEAKERS: Final = {"user": "user", "assistant": "system"}
_ARGUMENT: Final = ("slot", "value", "surface", "start", "end", "grounding")


def hash_row_as_version_1(row: Mapping[str, Any]) -> str | None:
    """Hash the content of a row as version 1 did; `None` if it says what a row of version 1 could not say.

    row: with the columns of `CONTENT`; a table of version 1 has no speaker, and its digests are these already.
    """
    speakers = [turn["speaker"] for turn in row["context"]]
    accepted = any(argument.get("accepted") for argument in row["arguments"])
    if (
        row["speaker"] != "user"
        or row["reply"] is not None
        or accepted
        or not _SPEAKERS.keys() >= {*speakers}
    ):
        return None
    context = [
        {"speaker": _SPEAKERS[turn["speaker"]], "utterance": turn["utterance"]} for turn in row["context"]
    ]
    arguments = [{name: argument[name] for name in _ARGUMENT} for argument in row["arguments"]]
    content = (row["utterance"], context, row["skill"], row["mode"], arguments)
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()
