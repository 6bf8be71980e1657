"""Words that a text has in common with the catalog: what they say about a skill holds for skills without rows, too."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from exemplars.core.records import Grounding
from exemplars.dataset.catalog import Skill
from exemplars.dataset.expressions.numbers import UNITS
from exemplars.models.tagger.features import UTTERANCE, EncodedText
from exemplars.models.tagger.vocabulary import Vocabulary

_WORD: Final = re.compile(r"\w+")
_MIN_LENGTH: Final = 3
"""Of words that are compared: shorter ones say nothing about a skill."""
_SCALE: Final = 3.0
"""About the weight of a word that one skill of thirty has."""
_HIGHEST: Final = 3.0


class Matches(NamedTuple):
    """What a text has in common with the catalog."""

    skills: list[tuple[float, float]]
    """For "no call" and each skill: the weight of its words in the utterance, and in the turns before."""
    choices: list[float]
    """For each choice: 1 if the utterance says its value."""


class Matcher:
    """Compares texts with the catalog."""

    def __init__(self, vocabulary: Vocabulary, skills: Mapping[str, Skill]) -> None:
        """skills: the catalog by name."""
        documents = [_list_skill_words(skills[known.name]) for known in vocabulary.skills]
        counts = Counter(word for document in documents for word in document)
        self._count = 1 + len(documents)
        self._weights = {word: math.log(len(documents) / count) for word, count in counts.items()}
        self._owners: dict[str, list[int]] = {}
        for number, document in enumerate(documents, 1):
            for word in document:
                self._owners.setdefault(word, []).append(number)
        values = [
            _normalize(choice.value) if choice.grounding is Grounding.CATEGORICAL and choice.value else None
            for known in vocabulary.skills
            for slot in known.slots
            for choice in slot.choices
        ]
        self._choices = max(1, len(values))
        self._values: dict[str, list[int]] = {}
        for place, value in enumerate(values):
            if value is not None:
                self._values.setdefault(value, []).append(place)

    def match(self, encoded: EncodedText) -> Matches:
        """Match a text."""
        said = self._weigh(_list_words(encoded.texts[UTTERANCE]))
        before = self._weigh(word for text in encoded.texts[1:] for word in _list_words(text))
        choices = [0.0] * self._choices
        words = _normalize(encoded.texts[UTTERANCE])
        for value, places in self._values.items():
            if value in words:
                for place in places:
                    choices[place] = 1.0
        return Matches(list(zip(said, before, strict=True)), choices)

    def _weigh(self, words: Iterable[str]) -> list[float]:
        totals = [0.0] * self._count
        for word in dict.fromkeys(words):
            for number in self._owners.get(word, ()):
                totals[number] += self._weights[word] / _SCALE
        return [min(total, _HIGHEST) for total in totals]


def _list_skill_words(skill: Skill) -> list[str]:
    """List the words of what the catalog says about a skill, each once."""
    texts = [skill.name, skill.description]
    for parameter in skill.parameters:
        texts += [parameter.name, parameter.description, *parameter.enum]
    return list(dict.fromkeys(word for text in texts for word in _list_words(text.replace("_", " "))))


def _list_words(text: str) -> list[str]:
    """List the words of a text without a final s."""
    words = [word.rstrip("s") for word in _WORD.findall(text.casefold())]
    return [word for word in words if len(word) >= _MIN_LENGTH and not word.isdigit()]


def _normalize(text: str) -> str:
    """Write a text as its words between spaces, numbers as digits: `" for 2 people "`."""
    words: Sequence[str] = _WORD.findall(text.casefold())
    return f" {' '.join(_NUMBERS.get(word, word) for word in words)} "


_NUMBERS: Final = {word: str(number) for word, number in UNITS.items()}
