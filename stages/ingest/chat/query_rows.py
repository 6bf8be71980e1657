"""The dialects with a request and its calls: xLAM (`query`, `answers`) and BFCL (`question`, `ground_truth`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from exemplars.core.records import Reason
from exemplars.core.slot_paths import find_root
from stages.ingest.chat.accepted_values import LEFT_OUT, read_accepted_values
from stages.ingest.chat.call_checks import admits_value
from stages.ingest.chat.call_texts import describe_value, read_call, read_call_list, read_json_calls
from stages.ingest.chat.conversations import (
    ChatTurn,
    Conversation,
    Dialect,
    Extent,
    FaultList,
    Role,
    ToolCall,
)
from stages.ingest.chat.messages import read_message
from stages.ingest.chat.tool_definitions import read_tools


def read_xlam_row(row: Mapping[str, Any]) -> Conversation:
    """Read a row with `query`, `tools` and `answers`; the last two may be JSON text."""
    faults = FaultList()
    query, answers = row.get("query"), row.get("answers")
    if not isinstance(query, str):
        faults.add("/query", Reason.MALFORMED_RECORD, describe_value(query), "a text")
        query = ""
    turns = [ChatTurn(Role.USER, query, "/query")]
    if isinstance(answers, str):
        turns.append(ChatTurn(Role.ASSISTANT, "", "/answers", read_json_calls(answers, "/answers", faults)))
    elif isinstance(answers, list):
        calls = (read_call(answer, f"/answers/{index}", faults) for index, answer in enumerate(answers))
        turns.append(ChatTurn(Role.ASSISTANT, "", "/answers", tuple(call for call in calls if call)))
    elif answers is not None:
        found, expected = describe_value(answers), "a list of calls"
        faults.add("/answers", Reason.MALFORMED_RECORD, found, expected, extent=Extent.UNREAD)
    return Conversation(
        Dialect.XLAM, tuple(turns), read_tools(row.get("tools"), "/tools", faults), faults.freeze()
    )


def read_bfcl_row(row: Mapping[str, Any]) -> Conversation:
    """Read a row with `question`, `function` and `ground_truth`: see `read_accepted_values`.

    No call is right if `ground_truth` is an empty list, or is missing in a row whose id says `irrelevance`.
    """
    faults = FaultList()
    turns: list[ChatTurn] = []
    question = row.get("question")
    rounds = question if isinstance(question, list) else []
    if not rounds:
        faults.add("/question", Reason.MALFORMED_RECORD, describe_value(question), "a list of messages")
    for number, messages in enumerate(rounds):
        is_nested = isinstance(messages, list)
        for index, message in enumerate(messages if is_nested else [messages]):
            pointer = f"/question/{number}" + (f"/{index}" if is_nested else "")
            turn = read_message(message, pointer, faults)
            turns += [turn] if turn is not None else []
    answers = row.get("ground_truth")
    if answers is None and "irrelevance" in str(row.get("id")):
        answers = []
    tools = read_tools(row.get("function"), "/function", faults)
    calls = tuple(_drop_unfit(call, tools) for call in _read_ground_truth(answers, faults))
    if calls or answers == []:
        turns.append(ChatTurn(Role.ASSISTANT, "", "/ground_truth", calls))
    return Conversation(Dialect.BFCL, tuple(turns), tools, faults.freeze())


def _read_ground_truth(ground_truth: Any, faults: FaultList) -> Iterator[ToolCall]:
    if ground_truth is not None and not isinstance(ground_truth, list):
        found, expected = describe_value(ground_truth), "a list of calls"
        faults.add("/ground_truth", Reason.MALFORMED_RECORD, found, expected, extent=Extent.UNREAD)
        return
    for index, answer in enumerate(ground_truth or ()):
        pointer = f"/ground_truth/{index}"
        if isinstance(answer, str):
            yield from read_call_list(f"[{answer}]", pointer, faults)
            continue
        values = next(iter(answer.values())) if isinstance(answer, Mapping) and len(answer) == 1 else None
        if not isinstance(values, Mapping):
            found, expected = describe_value(answer), "one function with its arguments"
            faults.add(pointer, Reason.MALFORMED_RECORD, found, expected, extent=Extent.UNREAD)
            continue
        arguments, accepted = read_accepted_values(values)
        yield ToolCall(next(iter(answer)), arguments, pointer, accepted=accepted)


def _drop_unfit(call: ToolCall, tools: Sequence[Mapping[str, Any]]) -> ToolCall:
    """Drop the arguments that may be left out, and whose value the tool does not accept, such as `N/A`."""
    schemas = [tool["function"]["parameters"] for tool in tools if tool["function"]["name"] == call.name]
    properties = (schemas[0].get("properties") or {}) if schemas else {}
    optional = {find_root(path) for path, values in call.accepted.items() if LEFT_OUT in values}
    unfit = {
        name
        for name in optional
        if name not in properties or not admits_value(properties[name], call.arguments.get(name))
    }
    return msgspec.structs.replace(
        call,
        arguments={name: value for name, value in call.arguments.items() if name not in unfit},
        accepted={path: values for path, values in call.accepted.items() if find_root(path) not in unfit},
    )
