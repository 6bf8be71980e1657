"""The dialects with a request and its calls: xLAM (`query`, `answers`) and BFCL (`question`, `ground_truth`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exemplars.core.records import Reason
from stages.ingest.chat.call_texts import describe_value, read_call, read_json_calls
from stages.ingest.chat.conversations import ChatTurn, Conversation, Dialect, FaultList, Role, ToolCall
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
        faults.add("/answers", Reason.MALFORMED_RECORD, describe_value(answers), "a list of calls")
    return Conversation(
        Dialect.XLAM, tuple(turns), read_tools(row.get("tools"), "/tools", faults), faults.freeze()
    )


def read_bfcl_row(row: Mapping[str, Any]) -> Conversation:
    """Read a row with `question` and `function`, and the first accepted value of each argument of `ground_truth`.

    An empty accepted value means that the argument may be left out: it is left out.
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
    calls = tuple(_read_ground_truth(row.get("ground_truth"), faults))
    if calls:
        turns.append(ChatTurn(Role.ASSISTANT, "", "/ground_truth", calls))
    tools = read_tools(row.get("function"), "/function", faults)
    return Conversation(Dialect.BFCL, tuple(turns), tools, faults.freeze())


def _read_ground_truth(ground_truth: Any, faults: FaultList) -> list[ToolCall]:
    calls = []
    for index, answer in enumerate(ground_truth if isinstance(ground_truth, list) else ()):
        pointer = f"/ground_truth/{index}"
        if not isinstance(answer, Mapping) or len(answer) != 1:
            faults.add(
                pointer, Reason.MALFORMED_RECORD, describe_value(answer), "one function with its arguments"
            )
            continue
        [(name, accepted)] = answer.items()
        arguments = {
            slot: choose_accepted(values)
            for slot, values in (accepted.items() if isinstance(accepted, Mapping) else ())
            if not _may_be_missing(values)
        }
        calls.append(ToolCall(name, arguments, pointer))
    return calls


def choose_accepted(values: Any) -> Any:
    """Choose the first accepted value of an argument, and of each key of the objects in it.

    >>> choose_accepted([{"unit": ["km", "m"], "n": ["", 1]}]), choose_accepted([[{"n": [1, 2]}], 3])
    ({'unit': 'km'}, [{'n': 1}])
    """
    return _choose_inside(values[0]) if isinstance(values, list) and values else values


def _choose_inside(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: choose_accepted(inner) for key, inner in value.items() if not _may_be_missing(inner)}
    return [_choose_inside(item) for item in value] if isinstance(value, list) else value


def _may_be_missing(values: Any) -> bool:
    return isinstance(values, list) and bool(values) and values[0] == ""
