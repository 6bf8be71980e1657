"""The proof, row by row, that training will see what was meant; before any training, on any machine."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from exemplars.core.records import Reason
from exemplars.models.calls import Call, CallFormat, MalformedCall, parse_call
from exemplars.models.chat_templates import ChatTemplateError, find_end_of_turn, render_prompt, tokenize_chat
from exemplars.models.rows import View
from stages.render.prompts import Prompt, Refused


class Ready(NamedTuple):
    """A prompt as tokens, proved."""

    prompt: Prompt
    input_ids: tuple[int, ...]
    """The prompt's tokens, which are masked, then the supervised ones."""
    prompt_tokens: int


def proved(prompt: Prompt, tokenizer: Any, limit: int, form: CallFormat) -> Ready | Refused:
    """Tokenize a prompt and its answer, and check both.

    limit: the most tokens of a row. form: how calls are written. Checked: the supervised tokens decode to
    exactly the answer and the token that ends the turn; a call is read back as it was meant; nothing is cut;
    the prompt shows the tools, and among them the one that the answer calls.
    """
    one = prompt.exemplar
    try:
        tokens = tokenize_chat(tokenizer, prompt.messages, prompt.definitions)
    except ChatTemplateError as error:
        found = f"a chat template that says: {error}"
        return Refused(one, Reason.NOT_SUPERVISED, found, "a template that takes such turns")
    length = len(tokens.prompt) + len(tokens.completion)
    if length > limit:
        found = f"{length} tokens with at most {limit} admitted"
        return Refused(one, Reason.TOO_LONG, found, "raise render.max_tokens, or show fewer tools or turns")
    answer = prompt.messages[-1]["content"]
    decoded = tokenizer.decode(
        tokens.completion, skip_special_tokens=False, clean_up_tokenization_spaces=False
    )
    if not tokens.completion or decoded != answer + tokenizer.decode([find_end_of_turn(tokenizer)]):
        found = f"{decoded[:60]!r} as what is supervised"
        return Refused(one, Reason.NOT_SUPERVISED, found, f"a chat template that ends with {answer[:60]!r}")
    if prompt.view == View.CALL and not _is_read_back(prompt, parse_call(answer, form)):
        found = f"{answer[:60]!r}, which is read as another call, or as none"
        return Refused(one, Reason.NOT_SUPERVISED, found, "skills and parameters named like variables")
    text = tokenizer.decode(tokens.prompt, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    if not _shows_tools(prompt, tokenizer, text):
        found = f"no {prompt.skill or 'tool'} in the prompt"
        return Refused(one, Reason.TOOL_NOT_IN_PROMPT, found, "set render.tools to compact")
    return Ready(prompt, (*tokens.prompt, *tokens.completion), len(tokens.prompt))


def _is_read_back(prompt: Prompt, call: Call | MalformedCall | None) -> bool:
    if isinstance(call, MalformedCall) or call is None:
        return call is None and prompt.skill is None
    return call.skill == prompt.skill and set(call.arguments) == {one.slot for one in prompt.answers}


def _shows_tools(prompt: Prompt, tokenizer: Any, text: str) -> bool:
    """Whether the prompt's text holds the tool that is called; where the template writes tools, whether it does."""
    if prompt.definitions:
        messages = prompt.messages[:-1]
        shown = render_prompt(tokenizer, messages, prompt.definitions)
        return shown != render_prompt(tokenizer, messages, None) and (prompt.skill or "") in shown
    return prompt.skill is None or re.search(rf"(?<!\w){re.escape(prompt.skill)}\(", text) is not None
