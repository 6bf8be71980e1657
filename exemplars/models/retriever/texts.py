"""The texts that an encoder compares: questions, train rows and descriptions of skills."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from exemplars.core.records import Turn
from exemplars.dataset.catalog import Skill

SEPARATOR: Final = " | "
"""Between two turns: an encoder reads one text."""
CountTokens = Callable[[str], int]
"""Counts the tokens of a text, special tokens included."""
_NUMBER: Final = re.compile(r"_\d+_")
_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def join_turns(utterance: str, context: Sequence[Turn], turns: int) -> str:
    """Join an utterance and the turns before it into one text, the oldest first. turns: of the context, at most.

    >>> from exemplars.core.records import Speaker, Turn
    >>> join_turns("Two, please.", [Turn(Speaker.USER, "A table."), Turn(Speaker.ASSISTANT, "For how many?")], 1)
    'For how many? | Two, please.'
    """
    before = context[-turns:] if turns else ()
    return SEPARATOR.join([*(turn.utterance for turn in before), utterance])


def fit_turns(
    utterance: str, context: Sequence[Turn], turns: int, max_tokens: int, count_tokens: CountTokens
) -> str:
    """Join as many turns as fit into a window with the utterance; the oldest are left out whole.

    An utterance that alone does not fit is returned without context.
    """
    for kept in range(min(turns, len(context)), 0, -1):
        text = join_turns(utterance, context, kept)
        if count_tokens(text) <= max_tokens:
            return text
    return utterance


def describe_skill(skill: Skill) -> str:
    """Describe a skill: its name in words, its description and the names of its parameters.

    >>> from exemplars.dataset.parameters import Parameter
    >>> describe_skill(Skill("Cafes_1_FindCafe", "Look for a café", (Parameter("dogs_welcome"),)))
    'cafes find cafe: Look for a café (dogs welcome)'
    """
    text = _split_name(skill.name)
    if skill.description:
        text += f": {skill.description}"
    if skill.parameters:
        text += f" ({', '.join(_split_name(parameter.name) for parameter in skill.parameters)})"
    return text


def _split_name(name: str) -> str:
    """Split a name into its words, in lower case, without the number of a version of a service."""
    words = _CAPITAL.sub(" ", _NUMBER.sub(" ", name))
    return " ".join(words.replace("_", " ").replace(".", " ").split()).lower()
