"""A chat template that shows `tools` as training did, whatever the template of the base model does with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Final

from exemplars.core.records import Speaker, Turn
from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.dataset.parameters import Parameter
from exemplars.models.calls import NO_CALL, Call, format_calls
from exemplars.models.chat_templates import ChatTemplateError, apply_template, encode_text, find_chat_template
from exemplars.models.prompt_style import CandidateSource, PromptStyle, ToolForm
from exemplars.models.prompting import encode_prompt
from exemplars.models.questions import Question

_TOOLS: Final = "tools_template.jinja"
_TOOL: Final = Skill(
    "ring", "Rings somebody.", (Parameter("contact", required=True), Parameter("time", recognizer="time"))
)
_QUESTION: Final = Question(
    "ring Maria at half past 7",
    [Turn(Speaker.USER, "hello"), Turn(Speaker.ASSISTANT, "Yes?"), Turn(Speaker.TOOL, "none")],
)
"""The example of a model card; a template that shows it as training would does so with other turns and tools."""

_USAGE: Final = """## Use

{about} In this folder:

```python
from exemplars.models import parse, prompt
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModelForCausalLM.from_pretrained(".")
tools = {tools}
messages = {messages}
inputs = tokenizer.apply_chat_template(
    messages, {argument}add_generation_prompt=True, return_tensors="pt", return_dict=True
)
output = model.generate(**inputs, max_new_tokens=64, do_sample=False)
answer = tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
```

The prompt is then

```text
{prompt}
```

An answer is a call, a list of calls, or `{no_call}`. `parse` reads it, with canonical values:

```python
calls = parse({answer!r}, tools, "{utterance}")
assert calls == [{{"name": "ring", "arguments": {{"contact": "Maria", "time": "07:30"}}}}]
```
"""
_CANDIDATES: Final = (
    " Training also showed values that were said, in a last line of the system message. No template writes it; "
    '`prompt` does: `prompt(utterance, tools=tools, candidates=[("time", "half past 7")])`.'
)


def build_tools_template(tokenizer: Any, style: PromptStyle) -> str:
    """Build the chat template of a merged model: what shows `tools`, and then the template of its tokenizer.

    With `tools`, the first message is that of training: the instruction, and each tool on a line, as
    `exemplars.models.signatures` writes it; earlier turns than training saw are left out. Without `tools` nothing
    changes. Definitions have to be in normal form, as in the catalog: without `$ref` and `nullable`.
    """
    settings: dict[str, str | int] = {
        "instruction": style.instruction,
        "context_turns": style.context_turns,
        "is_compact": style.tools == ToolForm.COMPACT,
    }
    lines = [f"{{%- set {name} = {_write_literal(value)} -%}}" for name, value in settings.items()]
    rules = (files("exemplars.export") / _TOOLS).read_text("utf-8").removesuffix("\n")
    return "".join([*lines, rules, find_chat_template(tokenizer)])


def add_tools_template(tokenizer: Any, style: PromptStyle) -> bool:
    """Give a tokenizer the template that shows `tools`, and return whether it shows them as training did.

    If it does not, because the template of the base has no role for what is shown, the tokenizer keeps its own.
    """
    own = tokenizer.chat_template
    expected = encode_prompt(tokenizer, style, [_TOOL], _QUESTION)
    tokenizer.chat_template = build_tools_template(tokenizer, style)
    is_shown = _render_with_tools(tokenizer, [build_tool_definition(_TOOL)]) == expected
    if not is_shown:
        tokenizer.chat_template = own
    return is_shown


def _render_with_tools(tokenizer: Any, definitions: Sequence[Any]) -> list[int] | None:
    """Render the example by the template of a tokenizer, as other programs do; `None` if the template refuses it."""
    turns = (*_QUESTION.context, Turn(_QUESTION.speaker, _QUESTION.utterance))
    messages = [{"role": turn.speaker.value, "content": turn.utterance} for turn in turns]
    try:
        text = apply_template(tokenizer, messages, definitions, add_generation_prompt=True)
    except ChatTemplateError:
        return None
    return encode_text(tokenizer, text)


def format_usage(tokenizer: Any, style: PromptStyle, *, takes_tools: bool) -> str:
    """Format the part of a model card that shows how a merged model is asked, in Markdown with Python code.

    takes_tools: whether the chat template shows `tools` as training did; otherwise `prompt` writes the messages.
    """
    utterance = _QUESTION.utterance
    answer = format_calls([Call(_TOOL.name, {"contact": "Maria", "time": "half past 7"})], style.call_format)
    prompt = tokenizer.decode(encode_prompt(tokenizer, style, [_TOOL], Question(utterance)))
    if takes_tools:
        about = "The chat template takes `tools`, and shows them as training did."
        messages, argument = f'[{{"role": "user", "content": "{utterance}"}}]', "tools=tools, "
    else:
        about = "The chat template does not show `tools` as training did, so `prompt` writes the messages."
        messages, argument = f'prompt("{utterance}", tools=tools)', ""
    if style.candidates is not CandidateSource.NONE:
        about += _CANDIDATES
    return _USAGE.format(
        about=about,
        tools=json.dumps([build_tool_definition(_TOOL)], indent=4),
        messages=messages,
        argument=argument,
        prompt=prompt,
        no_call=NO_CALL[style.call_format],
        answer=answer,
        utterance=utterance,
    )


def _write_literal(value: str | int) -> str:
    """Write a literal of Jinja, whose escapes in texts are those of JSON."""
    return json.dumps(value)
