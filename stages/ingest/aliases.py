"""Other names of a value, learned from the lists of variants in the states of dialogues."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from exemplars.dataset.recognizers import Instance, Recognizer, Recognizers

ALIASES: Final = "sgd-aliases"
"""The name of the recognizer that all free slots share: the names of a city do not depend on the slot."""

_DATE_OR_TIME: Final = re.compile(
    r"\d|\b(?:today|tonight|tomorrow|yesterday|noon|midnight|morning|afternoon|evening|night|am|pm|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august|"
    r"september|october|november|december)\b",
    re.IGNORECASE,
)
_LETTER: Final = re.compile(r"[^\W\d_]")


class AliasLearner:
    """Learns a recognizer, `ALIASES`, that maps each name to the names listed with it as ways to say one value.

    Aliases are not transitive: only names from one list are aliases of each other. Dates, times and numbers are
    skipped, since `compile` knows their expressions; so are names that differ only in case.

    >>> learner = AliasLearner()
    >>> learner.add([("SF", "San Francisco")])
    >>> [(instance.label, instance.expressions) for instance in learner.build().recognizers[ALIASES].instances]
    [('SF', ('San Francisco',)), ('San Francisco', ('SF',))]
    """

    def __init__(self) -> None:
        """Begin without aliases."""
        self._expressions: dict[str, set[str]] = {}

    def add(self, variants: Iterable[tuple[str, ...]]) -> None:
        """Learn from lists of ways to say a value, in any order."""
        for ways in variants:
            names = [way for way in ways if _LETTER.search(way) and not _DATE_OR_TIME.search(way)]
            for name in names:
                others = {other for other in names if other.casefold() != name.casefold()}
                if others:
                    self._expressions.setdefault(name, set()).update(others)

    def build(self) -> Recognizers:
        """Build the recognizers: one with all aliases, or none."""
        if not self._expressions:
            return Recognizers()
        instances = tuple(
            Instance(name, tuple(sorted(others))) for name, others in sorted(self._expressions.items())
        )
        description = "Names of one value that the states of dialogues list together"
        return Recognizers({ALIASES: Recognizer(instances, description, ALIASES)})
