"""Checks of a conversation against itself: its calls against its tools, and the order of its messages."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice, pairwise
from typing import Any, Final

import msgspec

from exemplars.core.errors import quote_text, suggest_name, summarize_names
from exemplars.core.json_pointers import escape_key
from exemplars.core.records import Reason
from exemplars.dataset.schema_errors import describe_expected
from exemplars.dataset.schema_validators import build_validator
from stages.ingest.chat.call_texts import describe_value
from stages.ingest.chat.conversations import ChatTurn, Extent, FaultList, Role, ToolCall
from stages.ingest.chat.tool_definitions import locate_property

_DAMAGES: Final = (RecursionError, TypeError, ValueError, LookupError, AttributeError, re.error)
"""What a validator raises for a schema that is no schema."""
RESULT_WITHOUT_CALL: Final = "a result without a call"
"""What is found if a result follows no call."""
_MAX_MISTAKES: Final = 20
"""More wrong values of one call are not listed."""


def check_turns(
    turns: Sequence[ChatTurn],
    tools: Sequence[Mapping[str, Any]],
    faults: FaultList,
    unread: Collection[str] = (),
) -> None:
    """Check the order of the messages and, if the conversation has tools, each call against them.

    unread: the pointers of calls that cannot be read.
    """
    _check_order(turns, faults, unread)
    definitions = {tool["function"]["name"]: tool["function"]["parameters"] for tool in tools}
    for turn in turns:
        for call in turn.calls:
            if call.name not in definitions:
                known = summarize_names(sorted(definitions)) or "at least one tool"
                hint = suggest_name(call.name, definitions)
                faults.add(
                    call.pointer,
                    Reason.UNKNOWN_SKILL,
                    f"a call of {quote_text(call.name)}",
                    known,
                    hint,
                    Extent.MESSAGE,
                )
            else:
                _check_arguments(call, definitions[call.name], faults)


def _check_order(turns: Sequence[ChatTurn], faults: FaultList, unread: Collection[str]) -> None:
    said = [turn for turn in turns if turn.role != Role.SYSTEM]
    if not said:
        faults.add("", Reason.MALFORMED_RECORD, "no message of a user or an assistant", "a conversation")
        return
    if said[0].role != Role.USER:
        faults.add(
            said[0].pointer,
            Reason.MALFORMED_RECORD,
            f"a first message of the {said[0].role}",
            "the user's",
            extent=Extent.MESSAGE if said[0].role == Role.ASSISTANT else Extent.REST,
        )
    for before, turn in pairwise(said):
        has_call = before.calls or any(pointer.startswith(f"{before.pointer}/") for pointer in unread)
        if turn.role == Role.TOOL and before.role != Role.TOOL and not has_call:
            faults.add(turn.pointer, Reason.MALFORMED_RECORD, RESULT_WITHOUT_CALL, "a call before the result")
        if turn.role == before.role == Role.USER:
            faults.add(
                turn.pointer,
                Reason.MALFORMED_RECORD,
                "two messages of the user in a row",
                "an answer between",
            )


def _check_arguments(call: ToolCall, schema: Mapping[str, Any], faults: FaultList) -> None:
    properties = schema.get("properties") or {}
    if properties and isinstance(properties, Mapping):
        for name in call.arguments:
            if name not in properties and schema.get("additionalProperties") in (None, False):
                faults.add(
                    locate_property(call.pointer, name),
                    Reason.UNKNOWN_SLOT,
                    f"the argument {quote_text(name)} of {call.name}",
                    summarize_names(properties),
                    suggest_name(name, properties, call.arguments),
                    Extent.MESSAGE,
                )
    required = schema.get("required")
    for name in required if isinstance(required, list) else ():
        if name not in call.arguments:
            found = f"no argument {quote_text(str(name))} of {call.name}"
            faults.add(call.pointer, Reason.MISSING_ARGUMENT, found, extent=Extent.MESSAGE)
    for pointer, found, expected in _find_wrong_values(call.arguments, schema):
        place = f"{call.pointer}/arguments{pointer}"
        faults.add(place, Reason.INVALID_VALUE, found, expected, extent=Extent.MESSAGE)


def admits_value(schema: Any, value: Any) -> bool:
    """Return whether a JSON Schema admits a value; one that is damaged admits all."""
    return not isinstance(schema, Mapping) or not _list_errors(value, schema)


def _find_wrong_values(
    arguments: Mapping[str, Any], schema: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    """Yield the JSON Pointer of each value that its schema does not allow, what it is, and what is expected."""
    for error in _list_errors(arguments, schema):
        if error.validator not in ("required", "additionalProperties"):
            pointer = "".join(f"/{escape_key(str(key))}" for key in error.absolute_path)
            found = "null" if error.instance is None else describe_value(error.instance)
            yield pointer, found, describe_expected(error)


def _list_errors(value: Any, schema: Mapping[str, Any]) -> list[Any]:
    """List what a JSON Schema does not accept; nothing if it is damaged, or refers to another document."""
    validator = _make_validator(msgspec.json.encode(schema, enc_hook=str))
    from jsonschema.exceptions import SchemaError, UnknownType
    from referencing.exceptions import Unresolvable

    try:
        errors = list(islice(validator.iter_errors(value), _MAX_MISTAKES))
        if errors:  # Checking a schema takes a hundred times as long as using it.
            validator.check_schema(validator.schema)
    except (SchemaError, UnknownType, Unresolvable, *_DAMAGES):
        return []
    return errors


@lru_cache(maxsize=4096)
def _make_validator(schema: bytes) -> Any:
    """Make the validator of a JSON Schema. The rows of a file often share their tools."""
    return build_validator(msgspec.json.decode(schema))
