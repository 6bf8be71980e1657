"""Each format as a full document: two calls with nested arguments, which follow the result of an earlier call."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exemplars.core.digests import stamp_digest
from exemplars.core.records import Argument, Exemplar, Grounding, Mode, Origin, Speaker, Turn
from exemplars.dataset.catalog import Skill, parse_tool_definition
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.row_labels import find_labels
from exemplars.export.formats import FORMATS
from exemplars.export.turns import ExportedTurn
from tests.export.turns import export_turn

ORDER: dict[str, Any] = {
    "name": "order",
    "description": "Orders dishes.",
    "parameters": {
        "type": "object",
        "properties": {
            "dishes": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "count": {"type": "integer"}},
                    "required": ["name"],
                },
                "description": "what",
            },
            "tip": {"type": "number", "description": "in percent"},
        },
        "required": ["dishes"],
    },
}
NOTIFY: dict[str, Any] = {
    "name": "notify",
    "description": "",
    "parameters": {
        "type": "object",
        "properties": {
            "who": {"type": "string", "description": "a person"},
            "how": {"type": "string", "description": "the channel", "enum": ["mail", "phone"]},
            "urgent": {
                "anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["dontcare"]}],
                "description": "now",
            },
        },
        "required": ["who"],
    },
}
TOOLS = [{"type": "function", "function": function} for function in (ORDER, NOTIFY)]
SKILLS = {skill.name: skill for skill in map(parse_tool_definition, TOOLS)}
CALL = '{"name": "menu", "arguments": {"day": "Friday"}}'
CONTEXT = (
    Turn(Speaker.USER, "Two soups, 5 for the waiter, and tell Ada. What is there?"),
    Turn(Speaker.ASSISTANT, f"I will look.\n{CALL}"),
)


def make_exemplar(call: int, skill: str | None, arguments: tuple[Argument, ...], **changes: Any) -> Exemplar:
    fields: dict[str, Any] = {
        "id": f"s:a.jsonl#1/{call}",
        "digest": "",
        "source": "s",
        "turn": "s:a.jsonl#1",
        "call": call,
        "service": None,
        "skill": skill,
        "mode": Mode.EXTENDED,
        "speaker": Speaker.TOOL,
        "utterance": '["soup"]',
        "exemplar": '["<dishes[0].name>"]' if call == 0 else '["soup"]',
        "arguments": arguments,
        "reply": "Done.",
        "context": CONTEXT,
        "group": "s:g",
        "license": "MIT",
        "origin": Origin("a.jsonl", "0" * 64, "1"),
    }
    return stamp_digest(Exemplar(**{**fields, **changes}))


ROWS = [
    make_exemplar(
        0,
        "order",
        (
            Argument("dishes[0].name", "soup", "soup", 2, 6, Grounding.VERBATIM),
            Argument("dishes[0].count", "2", None, None, None, Grounding.CONTEXT, ("3",)),
            Argument("tip", "5", None, None, None, Grounding.CONTEXT, ("5.5",)),
        ),
    ),
    make_exemplar(1, "notify", (Argument("who", "Ada", None, None, None, Grounding.CONTEXT),)),
]


def build() -> ExportedTurn:
    return export_turn(ROWS, {**SKILLS, "menu": Skill("menu", parameters=(Parameter("day"),))}, list(SKILLS))


SAID = "Two soups, 5 for the waiter, and tell Ada. What is there?"
MADE = {
    "id": "call_0",
    "type": "function",
    "function": {"name": "menu", "arguments": '{"day": "Friday"}'},
}
RESULT = {"role": "tool", "tool_call_id": "call_0", "content": '["soup"]'}
MENU: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "menu",
        "description": "",
        "parameters": {
            "type": "object",
            "properties": {"day": {"type": "string", "description": ""}},
            "required": [],
        },
    },
}
SIGNATURES = (
    "Call one.\norder(dishes:[{name, count:int}], tip:float)\nnotify(who, how=mail|phone, urgent:bool)"
)
LEARNED = '[order(dishes=[{"name": "soup", "count": 2}], tip=5), notify(who="Ada")]'
DOCUMENTS: dict[str, dict[str, Any]] = {
    "openai": {
        "messages": [
            {"role": "user", "content": SAID},
            {"role": "assistant", "content": "I will look.", "tool_calls": [MADE], "weight": 0},
            RESULT,
            {
                "role": "assistant",
                "content": "Done.",
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {
                            "name": "order",
                            "arguments": '{"dishes": [{"name": "soup", "count": 2}], "tip": 5}',
                        },
                    },
                    {
                        "id": "call_2",
                        "type": "function",
                        "function": {"name": "notify", "arguments": '{"who": "Ada"}'},
                    },
                ],
            },
        ],
        "tools": [*TOOLS, MENU],
    },
    "trl": {
        "prompt": [
            {"role": "system", "content": SIGNATURES},
            {"role": "user", "content": SAID},
            {"role": "assistant", "content": f"I will look.\n{CALL}"},
            {"role": "tool", "content": '["soup"]'},
        ],
        "completion": [{"role": "assistant", "content": LEARNED}],
    },
    "alpaca": {
        "instruction": '["soup"]',
        "input": "",
        "output": LEARNED,
        "system": SIGNATURES,
        "history": [[SAID, f"I will look.\n{CALL}"]],
    },
    "sharegpt": {
        "conversations": [
            {"from": "human", "value": SAID},
            {"from": "function_call", "value": CALL},
            {"from": "observation", "value": '["soup"]'},
            {
                "from": "function_call",
                "value": '[{"name": "order", "arguments": {"dishes": [{"name": "soup", "count": 2}], "tip": 5}}, '
                '{"name": "notify", "arguments": {"who": "Ada"}}]',
            },
        ],
        "system": "",
        "tools": json.dumps([ORDER, NOTIFY, MENU["function"]]),
    },
    "xlam": {
        "id": "s:a.jsonl#1",
        "query": f'user: {SAID}\nassistant: I will look.\n{CALL}\ntool: ["soup"]',
        "tools": json.dumps(
            [
                {
                    "name": "order",
                    "description": "Orders dishes.",
                    "parameters": {
                        "dishes": {**ORDER["parameters"]["properties"]["dishes"], "type": "List[dict]"},
                        "tip": {"type": "float, optional", "description": "in percent"},
                    },
                },
                {
                    "name": "notify",
                    "description": "",
                    "parameters": {
                        "who": {"type": "str", "description": "a person"},
                        "how": {
                            "type": "str, optional",
                            "description": "the channel",
                            "enum": ["mail", "phone"],
                        },
                        "urgent": {"description": "now", "type": "Union[str, bool], optional"},
                    },
                },
            ]
        ),
        "answers": '[{"name": "order", "arguments": {"dishes": [{"name": "soup", "count": 2}], "tip": 5}}, '
        '{"name": "notify", "arguments": {"who": "Ada"}}]',
    },
    "bfcl": {
        "id": "s:a.jsonl#1",
        "question": [
            [
                {"role": "user", "content": SAID},
                {"role": "assistant", "content": "I will look.", "tool_calls": [MADE]},
                RESULT,
            ]
        ],
        "function": [
            {
                "name": "order",
                "description": "Orders dishes.",
                "parameters": {
                    "type": "dict",
                    "properties": {
                        "dishes": {
                            "type": "array",
                            "items": {
                                "type": "dict",
                                "properties": {"name": {"type": "string"}, "count": {"type": "integer"}},
                                "required": ["name"],
                            },
                            "description": "what",
                        },
                        "tip": {"type": "float", "description": "in percent"},
                    },
                    "required": ["dishes"],
                },
            },
            {
                "name": "notify",
                "description": "",
                "parameters": {
                    "type": "dict",
                    "properties": {
                        "who": {"type": "string", "description": "a person"},
                        "how": {"type": "string", "description": "the channel", "enum": ["mail", "phone"]},
                        "urgent": {"type": "any", "description": "now"},
                    },
                    "required": ["who"],
                },
            },
            {
                "name": "menu",
                "description": "",
                "parameters": {
                    "type": "dict",
                    "properties": {"day": {"type": "string", "description": ""}},
                    "required": [],
                },
            },
        ],
        "ground_truth": [
            {"order": {"dishes": [[{"name": ["soup"], "count": [2, 3]}]], "tip": [5, 5.5]}},
            {"notify": {"who": ["Ada"]}},
        ],
    },
}


@pytest.mark.parametrize("form", FORMATS)
def test_a_format_has_several_calls_nested_arguments_results_and_replies(form: str) -> None:
    document = FORMATS[form](build())
    document.pop("exemplars", None)
    assert document == DOCUMENTS[form]


@pytest.mark.parametrize(
    ("form", "extras"),
    [
        ("openai", set()),
        ("sharegpt", {"turns", "reply"}),
        ("xlam", {"turns", "reply"}),
        ("bfcl", {"reply"}),
        ("alpaca", {"turns", "reply", "tools"}),
    ],
)
def test_labels_have_what_the_format_has_no_place_for(form: str, extras: set[str]) -> None:
    document = FORMATS[form](build())
    written = json.loads(document["exemplars"])
    assert written.keys() - {"row", "calls"} == extras
    labels = find_labels(document)
    assert labels is not None
    assert [(call.skill, call.mode) for call in labels.calls] == [
        ("order", Mode.EXTENDED),
        ("notify", Mode.EXTENDED),
    ]
    assert [call.arguments for call in labels.calls] == [row.arguments for row in ROWS]
    if "turns" in extras:
        assert labels.turns == (*CONTEXT, Turn(Speaker.TOOL, '["soup"]'))
    if "reply" in extras:
        assert labels.reply == "Done."
    if "tools" in extras:
        assert labels.tools == TOOLS


def test_a_row_without_a_call_has_the_reply_or_says_that_nothing_is_called() -> None:
    none = {
        "mode": Mode.NONE,
        "speaker": Speaker.USER,
        "utterance": "Thanks",
        "exemplar": "Thanks",
        "context": (),
    }
    replied = export_turn([make_exemplar(0, None, (), **none, reply="You are welcome.")], SKILLS)
    silent = export_turn([make_exemplar(0, None, (), **none, reply=None)], SKILLS)
    declined = {**none, "mode": Mode.NEGATIVE, "reply": None}
    negative = export_turn([make_exemplar(0, "notify", (), **declined)], SKILLS)
    assert [
        (
            FORMATS["openai"](turn)["messages"][1:],
            FORMATS["sharegpt"](turn)["conversations"][1:],
            FORMATS["xlam"](turn)["answers"],
            FORMATS["bfcl"](turn)["ground_truth"],
            FORMATS["alpaca"](turn)["output"],
        )
        for turn in (replied, silent, negative)
    ] == [
        ([{"role": "assistant", "content": text}], [{"from": "gpt", "value": text}], "[]", [], text)
        for text in ("You are welcome.", "None", "None")
    ]


def test_a_row_whose_tool_is_withheld_calls_nothing_and_its_labels_say_what_is_meant() -> None:
    said = {"speaker": Speaker.USER, "utterance": "Tell Ada", "exemplar": "Tell Ada", "context": ()}
    row = make_exemplar(0, "notify", ROWS[1].arguments, **said)
    turn = export_turn([row], SKILLS, ["order"], without_tool=1.0)
    document = FORMATS["openai"](turn)
    assert document["messages"][1:] == [{"role": "assistant", "content": "None"}]
    labels = find_labels(document)
    assert labels is not None
    assert ([call.skill for call in labels.calls], labels.reply) == (["notify"], "Done.")
