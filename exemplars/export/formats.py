"""Chat rows in the forms of other trainers: one object a row.

row: of `TRAINING_SCHEMA`, view `call`; its `tools` decoded. The forms are those that their readers
document: OpenAI's chat fine-tuning, TRL's prompt-completion, Alpaca and ShareGPT as LLaMA-Factory reads
them, xLAM's function-calling set, the Berkeley Function-Calling Leaderboard, OpenCUI's exemplars.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from exemplars.core.literals import parse_literal
from exemplars.models.calls import NO_CALL, Call, CallFormat

Row = Mapping[str, Any]
Document = dict[str, Any]


def openai(row: Row) -> Document:
    """`messages` with `tool_calls`, whose arguments are JSON text, and `tools`."""
    call = _call(row)
    answer: Document = {"role": "assistant", "content": NO_CALL[CallFormat.PYTHON]}
    if call is not None:
        function = {"name": call.skill, "arguments": _json(call.arguments)}
        answer = {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_0", "type": "function", "function": function}],
        }
    return {"messages": [*_turns(row), answer], "tools": [_plain_tool(one) for one in row["tools"]]}


def trl(row: Row) -> Document:
    """`prompt` and `completion`: the messages that `train` learns from; `tools` where no message shows them."""
    messages = list(row["messages"])
    tools = {} if _shows_tools(row) else {"tools": [_plain_tool(one) for one in row["tools"]]}
    return {"prompt": messages[:-1], "completion": messages[-1:], **tools}


def alpaca(row: Row) -> Document:
    """`instruction`, `input`, `output`, `system` and `history` (pairs of what was said before).

    Tools that no message shows stand as JSON in `system`, for the form has no other place.
    """
    system = [row["messages"][0]["content"]] if row["messages"][0]["role"] == "system" else []
    if not _shows_tools(row):
        system += [_json(_plain_tool(one)) for one in row["tools"]]
    said = [one["content"] for one in _turns(row)[:-1]]
    if len(said) % 2:
        said = ["", *said]  # The system spoke first.
    return {
        "instruction": row["utterance"],
        "input": "",
        "output": row["messages"][-1]["content"],
        "system": "\n".join(system),
        "history": [[user, system] for user, system in zip(said[::2], said[1::2], strict=True)],
    }


def sharegpt(row: Row) -> Document:
    """`conversations` of `human`, `gpt` and `function_call`, and `tools` as JSON text.

    A human comes first: an empty turn where the system spoke first, for LLaMA-Factory skips other rows.
    """
    names = {"user": "human", "assistant": "gpt"}
    conversations = [{"from": names[one["role"]], "value": one["content"]} for one in _turns(row)]
    if conversations[0]["from"] == "gpt":
        conversations.insert(0, {"from": "human", "value": ""})
    call = _call(row)
    if call is None:
        conversations.append({"from": "gpt", "value": NO_CALL[CallFormat.PYTHON]})
    else:
        value = _json({"name": call.skill, "arguments": dict(call.arguments)})
        conversations.append({"from": "function_call", "value": value})
    tools = [_plain_tool(one)["function"] for one in row["tools"]]
    return {"conversations": conversations, "system": "", "tools": _json(tools)}


def xlam(row: Row) -> Document:
    """`id`, `query`, and `tools` and `answers` as JSON text. Turns before stand in front of the query."""
    call = _call(row)
    answers = [] if call is None else [{"name": call.skill, "arguments": dict(call.arguments)}]
    tools = []
    for one in row["tools"]:
        function = one["function"]
        required = set(function["parameters"]["required"])
        parameters = {
            name: {
                "type": _type_name(schema) + ("" if name in required else ", optional"),
                "description": schema["description"],
            }
            for name, schema in function["parameters"]["properties"].items()
        }
        tools.append(
            {"name": function["name"], "description": function["description"], "parameters": parameters}
        )
    return {"id": row["id"], "query": _query(row), "tools": _json(tools), "answers": _json(answers)}


def bfcl(row: Row) -> Document:
    """`id`, `question` and `function`, with the possible answers under `ground_truth`."""
    functions = []
    for one in row["tools"]:
        function = _plain_tool(one)["function"]
        functions.append({**function, "parameters": {**function["parameters"], "type": "dict"}})
    truth: list[Document] = []
    if row["call"] is not None:
        truth = [{row["call"]: {one["slot"]: _possible(one, row) for one in row["answers"]}}]
    return {"id": row["id"], "question": [_turns(row)], "function": functions, "ground_truth": truth}


FORMATS: Final[dict[str, Callable[[Row], Document]]] = {
    "openai": openai,
    "trl": trl,
    "alpaca": alpaca,
    "sharegpt": sharegpt,
    "xlam": xlam,
    "bfcl": bfcl,
}
"""What makes one line of JSONL of a row."""


def opendu(exemplars: Iterable[Mapping[str, Any]]) -> dict[str, list[Document]]:
    """OpenCUI's `exemplars.json`: the templates of each skill. exemplars: rows of a split."""
    found: dict[str, list[Document]] = {}
    for one in exemplars:
        if one["skill"] is None or one["mode"] not in ("normal", "extended"):
            continue
        template = {"template": one["exemplar"], "owner_mode": one["mode"]}
        if template not in found.setdefault(one["skill"], []):
            found[one["skill"]].append(template)
    return dict(sorted(found.items()))


def _call(row: Row) -> Call | None:
    """The right call, its values typed by the catalog."""
    if row["call"] is None:
        return None
    types = _types(row)
    arguments = {one["slot"]: parse_literal(one["value"], types.get(one["slot"])) for one in row["answers"]}
    return Call(row["call"], arguments)  # type: ignore[arg-type]


def _types(row: Row) -> dict[str, str | None]:
    for one in row["tools"]:
        if one["function"]["name"] == row["call"]:
            schemas = one["function"]["parameters"]["properties"]
            return {
                name: schema["type"] for name, schema in schemas.items() if isinstance(schema["type"], str)
            }
    return {}


def _possible(answer: Mapping[str, Any], row: Row) -> list[object]:
    type_ = _types(row).get(answer["slot"])
    return [parse_literal(one, type_) for one in answer["accepted"]]


def _shows_tools(row: Row) -> bool:
    """Whether the system message lists the tools; elsewhere the model's own template does."""
    first = row["messages"][0]
    return first["role"] == "system" and all(
        f"{one['function']['name']}(" in first["content"] for one in row["tools"]
    )


def _turns(row: Row) -> list[dict[str, str]]:
    """What was said, the row's utterance last; no system message, no answer."""
    return [one for one in row["messages"][:-1] if one["role"] != "system"]


def _query(row: Row) -> str:
    turns = _turns(row)
    if len(turns) == 1:
        return str(row["utterance"])
    return "\n".join(f"{one['role']}: {one['content']}" for one in turns)


def _plain_tool(tool: Mapping[str, Any]) -> Document:
    """A definition without the keys that begin with `x-`, which strict readers refuse."""
    return {"type": "function", "function": _without_extensions(tool["function"])}


def _without_extensions(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_extensions(one) for key, one in value.items() if not key.startswith("x-")}
    return value


def _type_name(schema: Mapping[str, Any]) -> str:
    names = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
    return names.get(schema["type"], "str") if isinstance(schema["type"], str) else "str"


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False)
