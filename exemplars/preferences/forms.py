"""The usual forms of preferences, each known by the keys of its items, as prompts and sides.

Sources: TRL's "Dataset formats and types" (preference, unpaired preference), OpenAI's "Direct preference optimization",
LLaMA-Factory's `data/README.md` (ShareGPT with `chosen` and `rejected`, KTO with `label`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from exemplars.core.errors import summarize_names
from exemplars.core.ledger import Problem
from exemplars.core.records import Reason
from exemplars.dataset.context_calls import MadeCall, format_context_turn
from exemplars.models.preference_rows import PreferredCall, Side
from exemplars.models.rows import Message
from stages.ingest.chat.call_texts import describe_value
from stages.ingest.chat.conversations import ChatTurn, FaultList, Role
from stages.ingest.chat.messages import read_message
from stages.ingest.chat.sharegpt import read_sharegpt_row
from stages.ingest.chat.tool_definitions import read_tools

_PROMPT_KEYS: Final = ("prompt", "conversations", "messages", "question", "instruction")
_LABEL_KEYS: Final = ("label", "kto_tag")
_EXPECTED: Final = (
    "chosen and rejected; prompt, completion and label; messages or conversations with label; or input, "
    "preferred_output and non_preferred_output"
)


class PairDraft(NamedTuple):
    """A preference as its file has it."""

    prompt: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...]
    chosen: Side | None
    rejected: Side | None


class _FormError(Exception):
    """An item does not have the form that its keys show."""

    def __init__(self, found: str, expected: str, pointer: str = "") -> None:
        super().__init__(found)
        self.problem = Problem(Reason.MALFORMED_RECORD, found, expected)
        self.pointer = pointer


class FormProblem(NamedTuple):
    """Why an item is no preference, and where in it that is."""

    pointer: str
    problem: Problem


def read_item(item: Any) -> PairDraft | FormProblem:
    """Read an item of a file in the form that its keys show; or say why it is no preference."""
    try:
        if not isinstance(item, Mapping):
            raise _FormError(describe_value(item), "an object")
        return _choose_reader(item)(item)
    except _FormError as error:
        return FormProblem(error.pointer, error.problem)


def _choose_reader(item: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], PairDraft]:
    if "preferred_output" in item:
        return _read_openai
    if "chosen" in item or "rejected" in item:
        return _read_pair
    if any(key in item for key in _LABEL_KEYS):
        return _read_label
    found = f"the keys {summarize_names(sorted(map(str, item)), limit=6)}" if item else "no keys"
    raise _FormError(found, _EXPECTED)


def _read_openai(item: Mapping[str, Any]) -> PairDraft:
    given = item.get("input")
    if not isinstance(given, Mapping):
        raise _FormError(describe_value(given), "an object with messages", "/input")
    prompt = _read_turns(given.get("messages"), "/input/messages")
    chosen = _read_turns(item["preferred_output"], "/preferred_output")
    rejected = _read_turns(item.get("non_preferred_output"), "/non_preferred_output")
    return _draft(prompt, _read_tools(given, "/input/tools"), chosen, rejected)


def _read_pair(item: Mapping[str, Any]) -> PairDraft:
    """Read an item with `chosen` and `rejected`, each a text, a message, or messages with the prompt before them."""
    for key in ("chosen", "rejected"):
        if item.get(key) is None:
            raise _FormError(f"no {key}", "both chosen and rejected", f"/{key}")
    chosen, rejected = (_read_turns(item[key], f"/{key}", Role.ASSISTANT) for key in ("chosen", "rejected"))
    prompt_key = _find_prompt_key(item)
    prompt = _read_prompt(item, prompt_key) if prompt_key else _find_common_turns(chosen, rejected)
    return _draft(prompt, _read_tools(item, "/tools"), chosen, rejected)


def _read_label(item: Mapping[str, Any]) -> PairDraft:
    """Read an answer that is labeled good or bad: `completion`, or the last message of a conversation."""
    key = next(key for key in _LABEL_KEYS if key in item)
    value = item[key]
    label = _parse_label(value)
    if label is None:
        raise _FormError(describe_value(value), "true or false", f"/{key}")
    prompt_key = _find_prompt_key(item)
    if prompt_key is None:
        raise _FormError("no prompt", f"one of {', '.join(_PROMPT_KEYS)}")
    prompt = _read_prompt(item, prompt_key)
    if item.get("completion") is not None:
        side = _read_turns(item["completion"], "/completion", Role.ASSISTANT)
    else:
        prompt, side = prompt[:-1], prompt[-1:]
    return _draft(prompt, _read_tools(item, "/tools"), *((side, None) if label else (None, side)))


def _parse_label(value: Any) -> bool | None:
    text = str(value).strip().casefold() if isinstance(value, bool | int | str) else ""
    return True if text in ("true", "1") else False if text in ("false", "0") else None


def _find_prompt_key(item: Mapping[str, Any]) -> str | None:
    return next((key for key in _PROMPT_KEYS if item.get(key)), None)


def _read_prompt(item: Mapping[str, Any], key: str) -> list[ChatTurn]:
    prompt = _read_turns(item[key], f"/{key}")
    more = item.get("input")
    if key == "instruction" and isinstance(more, str) and more:
        prompt = [ChatTurn(Role.USER, f"{prompt[0].content}\n{more}", "/instruction")]
    system = item.get("system")
    if isinstance(system, str) and system.strip():
        prompt.insert(0, ChatTurn(Role.SYSTEM, system, "/system"))
    return prompt


def _read_turns(value: Any, pointer: str, role: Role = Role.USER) -> list[ChatTurn]:
    """Read a text, a message, or a list of messages, of OpenAI's form or ShareGPT's. role: of a text."""
    if isinstance(value, str):
        return [ChatTurn(role, value, pointer)]
    messages = [value] if isinstance(value, Mapping) else value
    if not isinstance(messages, list) or not messages:
        found = "an empty list" if messages == [] else describe_value(value)
        raise _FormError(found, "a text or a list of messages", pointer)
    faults = FaultList()
    if any(isinstance(message, Mapping) and "from" in message for message in messages):
        key = pointer.removeprefix("/")
        conversation = read_sharegpt_row({key: messages}, key=key)
        turns, found_faults = list(conversation.turns), conversation.faults
    else:
        read = (read_message(message, f"{pointer}/{index}", faults) for index, message in enumerate(messages))
        turns = [turn for turn in read if turn is not None]
        found_faults = faults.freeze()
    if found_faults:
        fault = found_faults[0]
        raise _FormError(fault.problem.found, fault.problem.expected, fault.pointer)
    return turns


def _read_tools(item: Mapping[str, Any], pointer: str) -> tuple[Mapping[str, Any], ...]:
    faults = FaultList()
    tools = read_tools(item.get("tools"), pointer, faults)
    for fault in faults.freeze():
        raise _FormError(fault.problem.found, fault.problem.expected, fault.pointer)
    return tools


def _find_common_turns(chosen: Sequence[ChatTurn], rejected: Sequence[ChatTurn]) -> list[ChatTurn]:
    """Find the prompt of two conversations that begin with it."""
    common = 0
    for first, second in zip(chosen[:-1], rejected[:-1], strict=False):
        if _describe_turn(first) != _describe_turn(second):
            break
        common += 1
    if not common:
        raise _FormError(
            "no prompt", f"one of {', '.join(_PROMPT_KEYS)}, or two conversations that begin with it"
        )
    return list(chosen[:common])


def _draft(
    prompt: Sequence[ChatTurn],
    tools: tuple[Mapping[str, Any], ...],
    chosen: Sequence[ChatTurn] | None,
    rejected: Sequence[ChatTurn] | None,
) -> PairDraft:
    return PairDraft(
        tuple(Message(turn.role.value, _write_turn(turn)) for turn in prompt),
        tools,
        None if chosen is None else _read_side(prompt, chosen),
        None if rejected is None else _read_side(prompt, rejected),
    )


def _read_side(prompt: Sequence[ChatTurn], turns: Sequence[ChatTurn]) -> Side:
    """Read an answer, before which the prompt may be repeated. Its text is dropped if it calls something."""
    asked = [_describe_turn(turn) for turn in prompt if turn.role != Role.SYSTEM]
    given = [turn for turn in turns if turn.role != Role.SYSTEM]
    if len(given) > 1 and [_describe_turn(turn) for turn in given[: len(asked)]] == asked:
        given = given[len(asked) :]
    pointer = turns[0].pointer if turns else ""
    if len(given) != 1 or given[0].role != Role.ASSISTANT:
        roles = summarize_names(turn.role for turn in given) or "nothing"
        raise _FormError(f"an answer of {roles}", "one message of the assistant", pointer)
    if given[0].calls:
        return tuple(PreferredCall(call.name, dict(call.arguments)) for call in given[0].calls)
    return given[0].content


def _describe_turn(turn: ChatTurn) -> tuple[Role, str]:
    return turn.role, _write_turn(turn)


def _write_turn(turn: ChatTurn) -> str:
    return format_context_turn(turn.content, [MadeCall(call.name, call.arguments) for call in turn.calls])
