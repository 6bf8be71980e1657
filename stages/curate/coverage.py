"""Coverage of the catalog by rows, and how evenly the rows are spread over it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from exemplars.core.records import DONTCARE, Exemplar
from exemplars.core.representativeness import Balance, Coverage
from exemplars.core.slot_paths import generalize_path
from exemplars.dataset.catalog import Skill

_MAX_EXAMPLES: Final = 3

Part = tuple[str, str, str]
"""A part of the catalog: skill, parameter, value. Empty: the parameter, or the skill, as a whole.

A parameter of a list or an object is named by the path of its leaf, without indexes: `dishes[].quantity`."""


class PartCounts(NamedTuple):
    """The rows of each part of the catalog that has any, and its shortest utterances."""

    rows: Counter[Part]
    examples: dict[Part, list[str]]
    """At most three, the shortest first."""
    values: Counter[Part]
    """How often arguments have each listed value; a row may have it several times."""


def count_parts(exemplars: Iterable[Exemplar], skills: Sequence[Skill]) -> PartCounts:
    """Count the rows of each part of the catalog."""
    parts = {part for skill in skills for part in _list_parts(skill)}
    utterances: dict[Part, list[str]] = defaultdict(list)
    values: Counter[Part] = Counter()
    for row in exemplars:
        if row.skill is not None:
            for part in {("", ""): None} | _list_filled(row):
                if (row.skill, *part) in parts:
                    utterances[row.skill, *part].append(row.utterance)
            for argument in row.arguments:
                value = (row.skill, generalize_path(argument.slot), argument.value)
                if value in parts:
                    values[value] += 1
    rows = Counter({part: len(texts) for part, texts in utterances.items()})
    return PartCounts(rows, {part: _choose_examples(texts) for part, texts in utterances.items()}, values)


def join_part_counts(first: PartCounts, second: PartCounts) -> PartCounts:
    """Add the counts of two lists of rows."""
    examples = dict(first.examples)
    for part, texts in second.examples.items():
        examples[part] = _choose_examples([*examples.get(part, ()), *texts])
    return PartCounts(first.rows + second.rows, examples, first.values + second.values)


def _choose_examples(texts: Iterable[str]) -> list[str]:
    return sorted(set(texts), key=lambda text: (len(text), text))[:_MAX_EXAMPLES]


def measure_coverage(counts: PartCounts, skills: Sequence[Skill]) -> list[Coverage]:
    """List the rows of each skill, parameter and enumerated value of the catalog, the thinnest first."""
    coverage = [_cover_part(counts, part) for skill in skills for part in _list_parts(skill)]
    return sorted(coverage, key=lambda part: (part.rows, part.skill, part.parameter, part.value))


def _list_filled(row: Exemplar) -> dict[tuple[str, str], None]:
    """List the parameters that a row fills, and their values, each once."""
    filled: dict[tuple[str, str], None] = {}
    for argument in row.arguments:
        path = generalize_path(argument.slot)
        filled[path, ""] = None
        if argument.value != DONTCARE:
            filled[path, argument.value] = None
    return filled


def _list_parts(skill: Skill) -> Iterator[Part]:
    yield skill.name, "", ""
    for path, enum in _list_leaves(skill):
        yield skill.name, path, ""
        for value in enum:
            yield skill.name, path, value


def _list_leaves(skill: Skill) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the path of each leaf that the skill declares, without indexes, and its listed values."""
    for path in skill.list_leaf_paths():
        parameter = skill.find_parameter(path)
        yield generalize_path(path), () if parameter is None else parameter.enum


def _cover_part(counts: PartCounts, part: Part) -> Coverage:
    skill, parameter, _ = part
    # A part without rows gets the examples of the next larger part, to start writing from.
    larger_parts = (part, (skill, parameter, ""), (skill, "", ""))
    nearest = next((counts.examples[larger] for larger in larger_parts if larger in counts.examples), [])
    return Coverage(*part, counts.rows[part], tuple(nearest))


def measure_balances(
    skill_rows: Mapping[str, int], counts: PartCounts, skills: Sequence[Skill]
) -> list[Balance]:
    """Measure the balance of skills (`skills`), and of the values of each enumeration (`skill.parameter`).

    skill_rows: the rows of each skill, those of the catalog or not.
    """
    enumerations = [
        (f"{skill.name}.{path}", [counts.values[skill.name, path, value] for value in enum])
        for skill in skills
        for path, enum in _list_leaves(skill)
        if enum
    ]
    return [
        measure_balance("skills", skill_rows.values()),
        *(measure_balance(name, values) for name, values in enumerations),
    ]


def measure_balance(name: str, counts: Iterable[int]) -> Balance:
    """Measure how evenly rows are spread over classes.

    counts: the rows of each class; classes without rows are ignored.

    >>> measure_balance("skills", [9, 1])
    Balance(name='skills', classes=2, entropy=0.468996, ratio=9.0)
    """
    present = [count for count in counts if count]
    if not present:
        return Balance(name, 0, 0.0, 0.0)
    total = sum(present)
    entropy = -sum(count / total * math.log(count / total) for count in present)
    normalized = entropy / math.log(len(present)) if len(present) > 1 else 0.0
    return Balance(name, len(present), round(normalized, 6), round(max(present) / min(present), 6))
