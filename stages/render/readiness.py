"""The proof, row by row, that training will see what was meant; before any training, on any machine."""

from __future__ import annotations

from typing import Any, NamedTuple

from stages.core.chat import rendered
from stages.core.records import Reason
from stages.render.prompts import Prompt, Refused


class Ready(NamedTuple):
    """A prompt as tokens, proved."""

    prompt: Prompt
    input_ids: tuple[int, ...]
    """The prompt's tokens, which are masked, then the supervised ones."""
    prompt_tokens: int


def proved(prompt: Prompt, tokenizer: Any, limit: int) -> Ready | Refused:
    """Tokenize a prompt and its answer, and check both.

    limit: the most tokens of a row. Checked: the supervised tokens decode to exactly the answer and the
    token that ends the turn; the prompt's tokens decode to the prompt; nothing is cut; the prompt shows
    the tool that the answer calls.
    """
    tokens = rendered(tokenizer, prompt.messages, prompt.definitions)
    one = prompt.exemplar
    length = len(tokens.prompt) + len(tokens.completion)
    if length > limit:
        found = f"{length} tokens with at most {limit} admitted"
        return Refused(one, Reason.TOO_LONG, found, "raise render.max_tokens, or show fewer tools or turns")
    answer = prompt.messages[-1]["content"]
    decoded = tokenizer.decode(
        tokens.completion, skip_special_tokens=False, clean_up_tokenization_spaces=False
    )
    if not tokens.completion or decoded != answer + tokenizer.eos_token:
        found = f"{decoded[:60]!r} as what is supervised"
        return Refused(one, Reason.NOT_SUPERVISED, found, f"a chat template that ends with {answer[:60]!r}")
    text = tokenizer.decode(tokens.prompt, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    if prompt.skill is not None and f"{prompt.skill}{'' if prompt.definitions else '('}" not in text:
        found = f"no {prompt.skill} in the prompt"
        return Refused(one, Reason.TOOL_NOT_IN_PROMPT, found, "set render.tools to compact")
    return Ready(prompt, (*tokens.prompt, *tokens.completion), len(tokens.prompt))
