"""The dialect of a row, and its conversation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from exemplars.core.errors import summarize_names
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from stages.ingest.chat.call_checks import check_turns
from stages.ingest.chat.call_texts import describe_value
from stages.ingest.chat.conversations import Conversation, Dialect, Extent, FaultList
from stages.ingest.chat.glaive import read_glaive_row
from stages.ingest.chat.messages import read_messages_row
from stages.ingest.chat.query_rows import read_bfcl_row, read_xlam_row
from stages.ingest.chat.sharegpt import has_tagged_calls, read_sharegpt_row, read_tagged_messages_row

_READERS: Final[tuple[tuple[frozenset[str], Callable[[Mapping[str, Any]], Conversation]], ...]] = (
    (frozenset({"messages"}), read_messages_row),
    (frozenset({"conversations"}), read_sharegpt_row),
    (frozenset({"chat"}), read_glaive_row),
    (frozenset({"query", "answers"}), read_xlam_row),
    (frozenset({"question", "function"}), read_bfcl_row),
)
"""Each reader after the keys that only its rows have."""
_WITH_CONVERSATIONS: Final = (Dialect.SHAREGPT, Dialect.HERMES, Dialect.TOOLACE)
_EXPECTED_KEYS: Final = (
    "those of a known dialect: messages; conversations; system and chat; query and answers; "
    "question and function"
)


def read_conversation(
    row: Any, wanted: Dialect | None = None, tools: Sequence[Mapping[str, Any]] = ()
) -> Conversation | Problem:
    """Read a row in the dialect that its keys show, and check it; or say why it is no conversation.

    wanted: what the row must be; `None`: any dialect. tools: of rows that list none.
    """
    conversation = parse_row(row, wanted)
    if isinstance(conversation, Problem):
        return conversation
    if tools and not conversation.tools:
        conversation = msgspec.structs.replace(conversation, tools=tuple(tools))
    faults = FaultList()
    unread = [fault.pointer for fault in conversation.faults if fault.extent is Extent.UNREAD]
    check_turns(conversation.turns, conversation.tools, faults, unread)
    return msgspec.structs.replace(conversation, faults=(*conversation.faults, *faults.freeze()))


def parse_row(row: Any, wanted: Dialect | None = None) -> Conversation | Problem:
    """Parse a row as `read_conversation` does, without the checks."""
    if not isinstance(row, Mapping):
        return Problem(Reason.MALFORMED_RECORD, describe_value(row), "an object")
    read = find_reader(row)
    if read is None:
        found = f"the keys {summarize_names(sorted(map(str, row)), limit=6)}" if row else "no keys"
        return Problem(Reason.MALFORMED_RECORD, found, _EXPECTED_KEYS)
    if read is read_sharegpt_row and wanted in _WITH_CONVERSATIONS:
        conversation = read_sharegpt_row(row, wanted)
    else:
        conversation = read(row)
    if wanted is not None and conversation.dialect != wanted:
        return Problem(
            Reason.MALFORMED_RECORD,
            f"a row in the dialect {conversation.dialect}",
            f"{wanted}, as the source's parameter says",
            "move the row to another source, or set dialect to null",
        )
    return conversation


def find_reader(keys: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Conversation] | None:
    """Find the reader of rows with these keys; `None`: no dialect has them."""
    if has_tagged_calls(keys):
        return read_tagged_messages_row
    read = next((reader for needed, reader in _READERS if needed <= keys.keys()), None)
    return read_messages_row if read is None and isinstance(keys.get("prompt"), list) else read
