"""Values that an answer copies from the conversation: which ones are spans of it, and which ones cannot be."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from exemplars.core.records import Grounding
from exemplars.core.slot_paths import find_root
from exemplars.models.rows import Message, TrainingRow

_UNIT: Final = re.compile(r"\w+|[^\w\s]")
"""A word, or a sign that is no part of one: spans begin and end with a unit."""


class Unit(NamedTuple):
    """A word or a sign of a text."""

    text: str
    space: str
    """The white space between the unit before and this one."""


class CopyRules(NamedTuple):
    """What the texts of a call's arguments may be."""

    free: frozenset[tuple[str, str]]
    """The parameters, each after its skill, that a model writes: train rows have composed values for them."""
    values: Mapping[tuple[str, str], tuple[str, ...]]
    """The values of other parameters in train rows that their prompts do not say, sorted."""


def list_units(text: str) -> list[Unit]:
    """List the words and signs of a text.

    >>> [unit.text for unit in list_units("call Ada's mobile, please")]
    ['call', 'Ada', "'", 's', 'mobile', ',', 'please']
    """
    units, end = [], 0
    for match in _UNIT.finditer(text):
        units.append(Unit(match[0], text[end : match.start()]))
        end = match.end()
    return units


def is_span(value: str, text: str) -> bool:
    """Return whether a value is a part of a text that begins and ends with a unit.

    >>> is_span("Ada", "call Ada's mobile"), is_span("mob", "call Ada's mobile"), is_span("", "call Ada")
    (True, False, False)
    """
    units, wanted = list_units(text), list_units(value)
    if not wanted or wanted[0].space or "".join(unit.space + unit.text for unit in wanted) != value:
        return False
    return any(
        units[start].text == wanted[0].text and units[start + 1 : start + len(wanted)] == wanted[1:]
        for start in range(len(units) - len(wanted) + 1)
    )


def learn_copy_rules(rows: Iterable[TrainingRow]) -> CopyRules:
    """Learn from train rows which parameters are copied, and the values that they have otherwise."""
    free: set[tuple[str, str]] = set()
    values: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        texts = list_shown_texts(row.messages[:-1])
        for call in row.calls:
            for answer in call.answers:
                key = call.skill, find_root(answer.slot)
                if answer.grounding == Grounding.COMPOSED:
                    free.add(key)
                elif not any(is_span(answer.value, text) for text in texts):
                    values[key].add(answer.value)
    kept = {key: tuple(sorted(texts)) for key, texts in sorted(values.items()) if key not in free}
    return CopyRules(frozenset(free), kept)


def list_shown_texts(prompt: Sequence[Message]) -> list[str]:
    """List the texts of a prompt that are said: all but the system's."""
    return [message.content for message in prompt if message.role != "system"]
