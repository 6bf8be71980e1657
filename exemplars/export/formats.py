"""Chat rows in the formats of other trainers: one object for each row of the view `call`.

The formats are those that their readers document: OpenAI's chat fine-tuning, TRL's prompt-completion, Alpaca
and ShareGPT as LLaMA-Factory reads them, xLAM's function-calling dataset, the Berkeley Function-Calling
Leaderboard (BFCL), and OpenCUI's exemplars.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from exemplars.core.records import Exemplar, Mode
from exemplars.dataset.catalog import TYPES, Skill, parse_tool_definition
from exemplars.dataset.json_schemas import find_types
from exemplars.dataset.leaves import build_arguments, decode_leaf
from exemplars.models.calls import NO_CALL, Call, CallFormat

if TYPE_CHECKING:  # Its module imports pyarrow, which would slow down every command.
    from exemplars.models.rows import Answer, Message, TrainingRow

Document = dict[str, Any]
"""A JSON object."""
Tool = Mapping[str, Any]
"""An OpenAI-style tool definition, decoded."""


def build_openai_row(row: TrainingRow) -> Document:
    """Build `messages` with `tool_calls`, whose arguments are JSON text, and `tools`."""
    tools = _decode_tools(row)
    calls = _build_calls(row, tools)
    answer: Document = {"role": "assistant", "content": row.reply if calls else _get_reply(row)}
    if calls:
        answer["tool_calls"] = [
            {
                "id": f"call_{number}",
                "type": "function",
                "function": {"name": call.skill, "arguments": _encode(call.arguments)},
            }
            for number, call in enumerate(calls)
        ]
    return {"messages": [*_list_turns(row), answer], "tools": [_strip_tool(tool) for tool in tools]}


def build_trl_row(row: TrainingRow) -> Document:
    """Build `prompt` and `completion`: the messages of `train`; with `tools` if no message shows them."""
    tools = _decode_tools(row)
    messages = [_build_message(message) for message in row.messages]
    document: Document = {"prompt": messages[:-1], "completion": messages[-1:]}
    if not _shows_tools(row, tools):
        document["tools"] = [_strip_tool(tool) for tool in tools]
    return document


def build_alpaca_row(row: TrainingRow) -> Document:
    """Build `instruction`, `input`, `output`, `system` and `history` (pairs of earlier turns).

    Tools that no message shows are appended to `system` as JSON: the format has no other place for them.
    """
    tools = _decode_tools(row)
    first = row.messages[0]
    system = [first.content] if first.role == "system" else []
    if not _shows_tools(row, tools):
        system += [_encode(_strip_tool(tool)) for tool in tools]
    earlier = [turn["content"] for turn in _list_turns(row)[:-1]]
    if len(earlier) % 2:
        earlier = ["", *earlier]  # The system spoke first.
    return {
        "instruction": row.utterance,
        "input": "",
        "output": row.messages[-1].content,
        "system": "\n".join(system),
        "history": [[user, reply] for user, reply in zip(earlier[::2], earlier[1::2], strict=True)],
    }


def build_sharegpt_row(row: TrainingRow) -> Document:
    """Build `conversations` of `human`, `gpt` and `function_call`, and `tools` as JSON text.

    The first turn is a human's, an empty one if the system spoke first: LLaMA-Factory skips other rows.
    """
    names = {"user": "human", "assistant": "gpt", "tool": "observation"}
    conversations = [{"from": names[turn["role"]], "value": turn["content"]} for turn in _list_turns(row)]
    if conversations[0]["from"] == "gpt":
        conversations.insert(0, {"from": "human", "value": ""})
    tools = _decode_tools(row)
    calls = [{"name": call.skill, "arguments": dict(call.arguments)} for call in _build_calls(row, tools)]
    if not calls:
        conversations.append({"from": "gpt", "value": _get_reply(row)})
    else:
        value = _encode(calls[0] if len(calls) == 1 else calls)
        conversations.append({"from": "function_call", "value": value})
    functions = [_strip_tool(tool)["function"] for tool in tools]
    return {"conversations": conversations, "system": "", "tools": _encode(functions)}


def build_xlam_row(row: TrainingRow) -> Document:
    """Build `id`, `query`, and `tools` and `answers` as JSON text. Earlier turns precede the query in it."""
    tools = _decode_tools(row)
    calls = _build_calls(row, tools)
    answers = [{"name": call.skill, "arguments": dict(call.arguments)} for call in calls]
    functions = [_build_xlam_function(tool["function"]) for tool in tools]
    return {
        "id": row.id,
        "query": _build_query(row),
        "tools": _encode(functions),
        "answers": _encode(answers),
    }


def _build_xlam_function(function: Mapping[str, Any]) -> Document:
    """Build a function with Python's names of types, in which `optional` is part of a type."""
    required = set(function["parameters"]["required"])
    parameters = {
        name: {
            "type": _name_python_type(schema) + ("" if name in required else ", optional"),
            "description": schema["description"],
        }
        for name, schema in function["parameters"]["properties"].items()
    }
    return {"name": function["name"], "description": function["description"], "parameters": parameters}


def build_bfcl_row(row: TrainingRow) -> Document:
    """Build `id`, `question` and `function`, with the possible answers under `ground_truth`."""
    tools = _decode_tools(row)
    functions = []
    for tool in tools:
        function = _strip_tool(tool)["function"]
        properties = {
            name: _build_bfcl_property(schema)
            for name, schema in function["parameters"]["properties"].items()
        }
        parameters = {**function["parameters"], "type": "dict", "properties": properties}
        functions.append({**function, "parameters": parameters})
    skills = _parse_skills(tools)
    truth = [
        {call.skill: {answer.slot: _list_accepted(answer, skills.get(call.skill)) for answer in call.answers}}
        for call in row.calls
    ]
    return {"id": row.id, "question": [_list_turns(row)], "function": functions, "ground_truth": truth}


def _build_bfcl_property(schema: Mapping[str, Any]) -> Document:
    """Build a property with BFCL's names of types: `float` for numbers, `any` for more than one type."""
    types = _list_types(schema)
    if len(types) == 1:
        return {**schema, "type": {"number": "float"}.get(types[0], types[0])}
    return {"type": "any", "description": schema["description"]}


FORMATS: Final[dict[str, Callable[[TrainingRow], Document]]] = {
    "openai": build_openai_row,
    "trl": build_trl_row,
    "alpaca": build_alpaca_row,
    "sharegpt": build_sharegpt_row,
    "xlam": build_xlam_row,
    "bfcl": build_bfcl_row,
}
"""The function that builds a line of JSONL from a row, by the name of the format."""
OPENCUI: Final = "opendu"
"""The name of OpenCUI's format, which has one document for all rows."""


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


def _decode_tools(row: TrainingRow) -> list[Tool]:
    tools: list[Tool] = msgspec.json.decode(row.tools)
    return tools


def _get_reply(row: TrainingRow) -> str:
    """Get what the assistant answers in place of a call."""
    answer = row.messages[-1].content
    return answer if answer == row.reply else NO_CALL[CallFormat.PYTHON]


def _build_calls(row: TrainingRow, tools: Sequence[Tool]) -> list[Call]:
    """Build the right calls, their values typed by their tools."""
    skills = _parse_skills(tools)
    calls = []
    for call in row.calls:
        leaves = ((answer.slot, answer.value) for answer in call.answers)
        calls.append(Call(call.skill, build_arguments(leaves, skills.get(call.skill))))
    return calls


def _parse_skills(tools: Sequence[Tool]) -> dict[str, Skill]:
    """Parse the tools that a row shows, by name."""
    return {tool["function"]["name"]: parse_tool_definition(tool) for tool in tools}


def _list_accepted(answer: Answer, skill: Skill | None) -> list[object]:
    parameter = None if skill is None else skill.find_parameter(answer.slot)
    return [decode_leaf(value, parameter) for value in answer.accepted]


def _shows_tools(row: TrainingRow, tools: Sequence[Tool]) -> bool:
    """Return whether the system message lists the tools; otherwise the model's own template does."""
    first = row.messages[0]
    return first.role == "system" and all(f"{tool['function']['name']}(" in first.content for tool in tools)


def _build_message(message: Message) -> dict[str, str]:
    return {"role": message.role, "content": message.content}


def _list_turns(row: TrainingRow) -> list[dict[str, str]]:
    """List the turns of user and assistant, the row's utterance last; no system message, no answer."""
    return [_build_message(message) for message in row.messages[:-1] if message.role != "system"]


def _build_query(row: TrainingRow) -> str:
    turns = _list_turns(row)
    if len(turns) == 1:
        return row.utterance
    return "\n".join(f"{turn['role']}: {turn['content']}" for turn in turns)


def _strip_tool(tool: Tool) -> Document:
    """Copy a definition without the keys that begin with `x-`, which strict readers reject."""
    return {"type": "function", "function": _strip_extensions(tool["function"])}


def _strip_extensions(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _strip_extensions(inner) for key, inner in value.items() if not key.startswith("x-")}
    return value


def _list_types(schema: Mapping[str, Any]) -> list[str]:
    """List the JSON types of a property that the catalog describes; none: it accepts any value."""
    types = find_types(schema) or ()
    return [name for name in (*TYPES, "array", "object", "null") if name in types]


def _name_python_type(schema: Mapping[str, Any]) -> str:
    names = {
        "string": "str", "integer": "int", "number": "float", "boolean": "bool", "array": "list", "object": "dict",
        "null": "None",
    }  # fmt: skip
    types = [names[name] for name in _list_types(schema)]
    return " ".join(types) or "Any" if len(types) < 2 else f"Union[{', '.join(types)}]"


def _encode(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False)
