"""Tools in the template of a merged model, as training showed them."""

from __future__ import annotations

from typing import Any

import pytest

from exemplars.core.records import Speaker, Turn
from exemplars.dataset.catalog import Skill, build_tool_definition, parse_tool_definition
from exemplars.dataset.context_calls import MadeCall, format_context_turn
from exemplars.export.chat_template import build_tools_template
from exemplars.models.chat_templates import encode_text, render_prompt
from exemplars.models.prompt_style import PromptStyle
from exemplars.models.prompting import encode_prompt
from exemplars.models.questions import Question
from tests.models.tagger.rows import SKILLS
from tests.tiny import make_tokenizer

pytest.importorskip("transformers")
DEEP: dict[str, Any] = {"type": "string"}
for _ in range(10):
    DEEP = {"type": "object", "properties": {"a": {"type": "array", "items": DEEP}}}
PROPERTIES: dict[str, Any] = {
    "text": {"type": "string"},
    "any": {},
    "count": {"type": "integer"},
    "size": {"type": "number"},
    "listed": {"type": "string", "enum": ["on", "off"]},
    "dontcare": {"type": "string", "enum": ["a", "dontcare"], "x-dontcare": True},
    "flag": {"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["dontcare"]}], "x-dontcare": True},
    "many": {"anyOf": [{"enum": [1, 2]}, {"enum": ["dontcare"]}], "x-dontcare": True},
    "rows": {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"const": "dontcare"}], "x-dontcare": True},
    "literal": {"type": ["string", "integer", "number", "boolean"]},
    "mixed": {"type": ["string", "integer"]},
    "null": {"type": ["string", "null"]},
    "union": {"anyOf": [{"type": "integer"}, {"enum": ["all", None]}]},
    "values": {"anyOf": [{"enum": ["a", "b"]}, {"const": 5}, {"type": "null"}]},
    "float": {"enum": [1.0, 2.5, True, None]},
    "both": {"type": "number", "allOf": [{"type": "integer"}]},
    "all": {"type": ["string", "null"], "allOf": [{"enum": ["a"]}]},
    "dates": {"type": "array", "items": {"type": "string", "format": "date"}},
    "sizes": {"type": "array", "items": {"enum": ["S", "M"]}},
    "open": {"type": "array"},
    "dishes": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}, "n": {"type": "integer"}, "x": True}}},
    "one": {"oneOf": [{"type": "object", "properties": {"a": {"type": "integer"}}}, {"type": "object", "properties": {"b": {"enum": ["c"]}}}]},
    "items": {"type": "object", "properties": {"items": {"type": "array", "items": {"type": "boolean"}}}},
    "deep": DEEP,
    "everything": {"type": ["string", "integer", "number", "boolean", "null", "array"]},
}  # fmt: skip
TOOLS = [
    *SKILLS,
    Skill("nothing"),
    *(
        parse_tool_definition({"function": {"name": "f", "parameters": {"properties": {name: schema}}}})
        for name, schema in PROPERTIES.items()
    ),
]


def make_merged_tokenizer(style: PromptStyle) -> Any:
    tokenizer = make_tokenizer()
    tokenizer.chat_template = build_tools_template(tokenizer, style)
    return tokenizer


def list_messages(question: Question) -> list[dict[str, Any]]:
    turns = (*question.context, Turn(question.speaker, question.utterance))
    return [{"role": turn.speaker.value, "content": turn.utterance} for turn in turns]


@pytest.mark.parametrize(
    "tool", TOOLS, ids=lambda tool: tool.parameters[0].name if tool.parameters else tool.name
)
def test_a_tool_is_shown_as_in_training(tool: Skill) -> None:
    style, question = PromptStyle(), Question("ring mum")
    tokens = make_merged_tokenizer(style).apply_chat_template(
        list_messages(question),
        tools=[build_tool_definition(tool)],
        add_generation_prompt=True,
        return_dict=False,
    )
    assert tokens == encode_prompt(make_tokenizer(), style, [tool], question)


@pytest.mark.parametrize(
    "style",
    [
        PromptStyle(),
        PromptStyle(instruction='Say "a"\n{{ x }} é', context_turns=1),
        PromptStyle(instruction="", context_turns=0),
    ],
)
def test_a_conversation_is_shown_as_in_training(style: PromptStyle) -> None:
    made = format_context_turn("One moment.", [MadeCall("weather", {"location": "Oslø", "days": [1, 2.5]})])
    turns = [Turn(Speaker.USER, "hi"), Turn(Speaker.ASSISTANT, made), Turn(Speaker.TOOL, "rain")]
    question = Question("and tomorrow?", turns)
    messages = list_messages(question)
    call = {
        "type": "function",
        "function": {"name": "weather", "arguments": {"location": "Oslø", "days": [1, 2.5]}},
    }
    messages[1] = {"role": "assistant", "content": "One moment.", "tool_calls": [call]}
    definitions = [build_tool_definition(tool) for tool in SKILLS]
    tokenizer = make_merged_tokenizer(style)
    text = tokenizer.apply_chat_template(
        messages, tools=definitions, add_generation_prompt=True, tokenize=False
    )
    assert encode_text(tokenizer, text) == encode_prompt(make_tokenizer(), style, SKILLS, question)
    answered = tokenizer.apply_chat_template(
        [*messages, {"role": "assistant", "content": "None"}], tools=definitions, tokenize=False
    )
    assert answered.startswith(text)


def test_without_tools_the_template_is_that_of_the_base() -> None:
    messages = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
    merged = make_merged_tokenizer(PromptStyle(context_turns=0))
    assert render_prompt(merged, messages, None) == render_prompt(make_tokenizer(), messages, None)


def test_tools_with_a_system_message_are_refused() -> None:
    from jinja2 import TemplateError

    messages = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
    with pytest.raises(TemplateError, match="the model was trained with a system message of its own"):
        make_merged_tokenizer(PromptStyle()).apply_chat_template(
            messages, tools=[{"name": "f"}], tokenize=False
        )


@pytest.mark.workspace
def test_the_catalog_of_this_project_is_shown_as_in_training() -> None:
    from pathlib import Path

    from exemplars.core import layout
    from exemplars.dataset.catalog import read_catalog
    from exemplars.models.base_models import find_base, load_tokenizer
    from exemplars.models.render_manifest import read_render_manifest

    skills = read_catalog(Path(__file__).parents[2] / layout.CATALOG)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(Path(__file__).parents[2])
        rendered = read_render_manifest()
    tokenizer = load_tokenizer(find_base(rendered.base))
    question = Question("ring Maria at work", [Turn(Speaker.USER, "hi"), Turn(Speaker.ASSISTANT, "Yes?")])
    expected = encode_prompt(tokenizer, rendered.style, skills, question)
    tokenizer.chat_template = build_tools_template(tokenizer, rendered.style)
    text = tokenizer.apply_chat_template(
        list_messages(question),
        tools=[build_tool_definition(skill) for skill in skills],
        add_generation_prompt=True,
        tokenize=False,
    )
    assert encode_text(tokenizer, text) == expected
