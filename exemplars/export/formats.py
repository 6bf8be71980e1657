"""Turns in the formats of other trainers: one object for each turn.

The formats are those that their readers document: OpenAI's chat fine-tuning, TRL's prompt-completion, Alpaca
and ShareGPT as LLaMA-Factory reads them, xLAM's function-calling dataset, the Berkeley Function-Calling
Leaderboard (BFCL), and OpenCUI's exemplars.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from exemplars.core.records import Exemplar, Mode, Speaker
from exemplars.core.slot_paths import Leaf, format_path
from exemplars.dataset.context_calls import MadeCall, format_context_turn
from exemplars.dataset.row_labels import RowLabels, add_labels
from exemplars.export.conversations import ChatMessage, alternate_messages, build_conversation, keeps_turns
from exemplars.export.tool_schemas import build_bfcl_function, build_xlam_function
from exemplars.export.turns import Document, ExportedCall, ExportedTurn, build_labels, strip_tool
from exemplars.models.calls import NO_CALL, CallFormat

if TYPE_CHECKING:  # Its module imports pyarrow, which would slow down every command.
    from exemplars.models.rows import Message

_UNSET: Final = msgspec.UNSET


def build_openai_row(turn: ExportedTurn) -> Document:
    """Build `messages` with `tool_calls`, whose arguments are JSON text, and `tools`.

    The assistant's earlier messages have `weight: 0`: the last one alone is to be learned.
    """
    conversation = _build_conversation(turn)
    messages = [
        {**message, "weight": 0} if message["role"] == "assistant" else message
        for message in _build_messages(conversation)
    ]
    calls = [MadeCall(call.skill, call.arguments) for call in turn.calls]
    answer = ChatMessage(Speaker.ASSISTANT, turn.reply or ("" if calls else _NO_CALL), tuple(calls))
    messages.append(_build_message(answer, sum(len(message.calls) for message in conversation)))
    document = {"messages": messages, "tools": [strip_tool(tool) for tool in turn.all_tools]}
    return _label(document, turn, conversation, has_reply=_has_reply(turn))


def build_trl_row(turn: ExportedTurn) -> Document:
    """Build `prompt` and `completion`: the messages of `train`; with `tools` if no message shows them."""
    messages = [_copy_message(message) for message in turn.row.messages]
    document: Document = {"prompt": messages[:-1], "completion": messages[-1:]}
    if not _shows_tools(turn):
        document["tools"] = [strip_tool(tool) for tool in turn.tools]
    return document


def build_alpaca_row(turn: ExportedTurn) -> Document:
    """Build `instruction`, `input`, `output`, `system` and `history` (pairs of earlier turns).

    The output is what `train` learns. Tools that no message shows are appended to `system` as JSON: the format has no
    other place for them.
    """
    first = turn.row.messages[0]
    system = [first.content] if first.role == "system" else []
    if not _shows_tools(turn):
        system += [_encode(strip_tool(tool)) for tool in turn.tools]
    conversation = alternate_messages(_build_conversation(turn))
    earlier = [format_context_turn(message.content, message.calls) for message in conversation[:-1]]
    document = {
        "instruction": conversation[-1].content,
        "input": "",
        "output": turn.row.messages[-1].content,
        "system": "\n".join(system),
        "history": [[user, reply] for user, reply in zip(earlier[::2], earlier[1::2], strict=True)],
    }
    return _label(document, turn, (), has_tools=False)


def build_sharegpt_row(turn: ExportedTurn) -> Document:
    """Build `conversations` of `human`, `gpt`, `function_call` and `observation`, and `tools` as JSON text.

    Every message of one side is followed by one of the other, and the first is a human's: LLaMA-Factory skips other
    rows. A message with calls has no text.
    """
    conversation = alternate_messages(_build_conversation(turn))
    calls = tuple(MadeCall(call.skill, call.arguments) for call in turn.calls)
    answer = ChatMessage(Speaker.ASSISTANT, turn.reply or _NO_CALL, calls)
    document = {
        "conversations": [_build_sharegpt_message(message) for message in (*conversation, answer)],
        "system": "",
        "tools": _encode([strip_tool(tool)["function"] for tool in turn.all_tools]),
    }
    read = [message._replace(content="") if message.calls else message for message in conversation]
    return _label(document, turn, read, has_reply=_has_reply(turn) and not (calls and turn.reply))


def build_xlam_row(turn: ExportedTurn) -> Document:
    """Build `id`, `query`, and `tools` and `answers` as JSON text. Earlier turns precede the query in it."""
    turns = turn.turns
    lines = [f"{said.speaker.value}: {said.utterance}" for said in turns]
    answers = [{"name": call.skill, "arguments": call.arguments} for call in turn.calls]
    document = {
        "id": turn.row.id,
        "query": "\n".join(lines) if len(turns) > 1 else turns[0].utterance,
        "tools": _encode([build_xlam_function(tool) for tool in turn.tools]),
        "answers": _encode(answers),
    }
    return _label(document, turn, [ChatMessage(Speaker.USER, document["query"])])


def build_bfcl_row(turn: ExportedTurn) -> Document:
    """Build `id`, `question` and `function`, with the possible answers under `ground_truth`."""
    conversation = _build_conversation(turn)
    document = {
        "id": turn.row.id,
        "question": [_build_messages(conversation)],
        "function": [build_bfcl_function(tool) for tool in turn.all_tools],
        "ground_truth": [{call.skill: _list_possible(call)} for call in turn.calls],
    }
    return _label(document, turn, conversation)


FORMATS: Final[dict[str, Callable[[ExportedTurn], Document]]] = {
    "openai": build_openai_row,
    "trl": build_trl_row,
    "alpaca": build_alpaca_row,
    "sharegpt": build_sharegpt_row,
    "xlam": build_xlam_row,
    "bfcl": build_bfcl_row,
}
"""The function that builds a line of JSONL from a turn, by the name of the format."""
OPENCUI: Final = "opendu"
"""The name of OpenCUI's format, which has one document for all rows."""
_NO_CALL: Final = NO_CALL[CallFormat.PYTHON]


def build_opencui_templates(exemplars: Iterable[Exemplar]) -> dict[str, list[Document]]:
    """Build OpenCUI's `exemplars.json`: the templates of each skill, without repetition."""
    templates: dict[str, list[Document]] = {}
    for exemplar in exemplars:
        if exemplar.skill is None or exemplar.mode not in (Mode.NORMAL, Mode.EXTENDED):
            continue
        template = {"template": exemplar.exemplar, "owner_mode": exemplar.mode.value}
        known = templates.setdefault(exemplar.skill, [])
        if template not in known:
            known.append(template)
    return dict(sorted(templates.items()))


def _label(
    document: Document,
    turn: ExportedTurn,
    messages: Sequence[ChatMessage],
    *,
    has_reply: bool = False,
    has_tools: bool = True,
) -> Document:
    """Add the labels, without what the row itself says. messages: as a reader finds them before the answer."""
    labels: RowLabels = msgspec.structs.replace(
        build_labels(turn),
        **({"turns": _UNSET} if keeps_turns(messages, turn.turns) else {}),
        **({"reply": _UNSET} if has_reply else {}),
        **({"tools": _UNSET} if has_tools else {}),
    )
    return add_labels(document, labels)


def _build_conversation(turn: ExportedTurn) -> list[ChatMessage]:
    return build_conversation(turn.turns, [tool["function"]["name"] for tool in turn.all_tools])


def _has_reply(turn: ExportedTurn) -> bool:
    """Return whether the last message has the reply of the turn, and no other text."""
    reply = turn.exemplars[0].reply
    return turn.reply == reply and (bool(turn.calls) or bool(reply))


def _build_messages(conversation: Sequence[ChatMessage]) -> list[Document]:
    """Build messages of OpenAI's form; calls are numbered, and each result has the number of its call."""
    messages, made, answered = [], 0, 0
    for message in conversation:
        if message.speaker is Speaker.TOOL:
            messages.append(_build_message(message, min(answered, made - 1)))
            answered += 1
        else:
            messages.append(_build_message(message, made))
            answered, made = made, made + len(message.calls)
    return messages


def _build_message(message: ChatMessage, number: int) -> Document:
    """Build a message of OpenAI's form. number: of its first call, or of the call that it is the result of."""
    if message.speaker is Speaker.TOOL:
        return {"role": "tool", "tool_call_id": f"call_{number}", "content": message.content}
    if not message.calls:
        return {"role": message.speaker.value, "content": message.content}
    calls = [
        {
            "id": f"call_{number + index}",
            "type": "function",
            "function": {"name": call.name, "arguments": _encode(call.arguments)},
        }
        for index, call in enumerate(message.calls)
    ]
    return {"role": "assistant", "content": message.content or None, "tool_calls": calls}


def _build_sharegpt_message(message: ChatMessage) -> Document:
    if message.calls:
        calls = [{"name": call.name, "arguments": call.arguments} for call in message.calls]
        return {"from": "function_call", "value": _encode(calls if len(calls) > 1 else calls[0])}
    names = {Speaker.USER: "human", Speaker.ASSISTANT: "gpt", Speaker.TOOL: "observation"}
    return {"from": names[message.speaker], "value": message.content}


def _list_possible(call: ExportedCall) -> Document:
    """List the possible values of each argument; of the properties of an object, too."""
    return {name: _list_values(value, (name,), call.accepted) for name, value in call.arguments.items()}


def _list_values(
    value: Any, path: tuple[str | int, ...], accepted: Mapping[str, Sequence[Leaf]]
) -> list[Any]:
    """List the possible values of an argument or property, the canonical one first."""
    if not isinstance(value, list) or not value:
        inner = _list_inner_values(value, path, accepted)
        return [inner, *accepted.get(format_path(path), ())]
    items = [_list_inner_values(item, (*path, index), accepted) for index, item in enumerate(value)]
    others = [
        [*items[:index], other, *items[index + 1 :]]
        for index in range(len(items))
        for other in accepted.get(format_path((*path, index)), ())
    ]
    return [items, *others]


def _list_inner_values(
    value: Any, path: tuple[str | int, ...], accepted: Mapping[str, Sequence[Leaf]]
) -> Any:
    if isinstance(value, Mapping):
        return {key: _list_values(inner, (*path, key), accepted) for key, inner in value.items()}
    if isinstance(value, list):
        return [_list_inner_values(item, (*path, index), accepted) for index, item in enumerate(value)]
    return value


def _shows_tools(turn: ExportedTurn) -> bool:
    """Return whether the system message lists the tools; otherwise the model's own template does."""
    first = turn.row.messages[0]
    return first.role == "system" and all(
        f"{tool['function']['name']}(" in first.content for tool in turn.tools
    )


def _copy_message(message: Message) -> dict[str, str]:
    return {"role": message.role, "content": message.content}


def _encode(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False)
