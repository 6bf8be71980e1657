"""The index of a retriever: train rows and templates with their vectors, and those of the descriptions of skills."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from exemplars.core.records import Exemplar, Template
from exemplars.dataset.catalog import Skill
from exemplars.models.retriever.texts import describe_skill

Vectors = NDArray[np.float32]
"""Unit vectors, of shape (texts, width)."""
Encode = Callable[[Sequence[str]], Vectors]


class IndexEntry(msgspec.Struct, frozen=True):
    """A text that a question may be like, and where it comes from."""

    digest: str
    """Of the train row; empty for a template, which is no row."""
    id: str
    skill: str | None
    """`None`: a row that calls nothing. It is found as an example, and counts for no skill."""
    text: str
    """What is encoded: a template or an utterance, after the turns before it."""
    group: str
    is_template: bool
    """Whether located values are replaced by `<slot>`."""


class Index(NamedTuple):
    """What a retriever searches."""

    entries: Sequence[IndexEntry]
    vectors: Vectors
    """Of the entries."""
    skills: Sequence[str]
    """The skills that have a description, sorted."""
    descriptions: Vectors
    """Of the skills."""


def list_entries(
    rows: Iterable[Exemplar], templates: Iterable[Template], join: Callable[[str, Exemplar | Template], str]
) -> list[IndexEntry]:
    """List the entries of train rows and templates, sorted by skill and id.

    A row has one for its template, and one for its utterance if that differs. join: adds the turns before a text.
    """
    entries = []
    for row in rows:
        for text in dict.fromkeys((row.exemplar, row.utterance)):
            is_template = text != row.utterance
            joined = join(text, row)
            entries.append(IndexEntry(row.digest, row.id, row.skill, joined, row.group, is_template))
    for template in templates:
        joined = join(template.template, template)
        entries.append(IndexEntry("", template.id, template.skill, joined, template.group, True))
    return sorted(entries, key=lambda entry: (entry.skill or "", entry.id, entry.is_template))


def build_index(entries: Sequence[IndexEntry], skills: Iterable[Skill], encode: Encode) -> Index:
    """Encode entries and the descriptions of skills."""
    by_name = sorted(skills, key=lambda skill: skill.name)
    return Index(
        entries,
        encode([entry.text for entry in entries]),
        [skill.name for skill in by_name],
        encode([describe_skill(skill) for skill in by_name]),
    )


def add_skills(index: Index, skills: Iterable[Skill], encode: Encode) -> Index:
    """Add the descriptions of skills that the index does not have."""
    known = set(index.skills)
    new = sorted((skill for skill in skills if skill.name not in known), key=lambda skill: skill.name)
    if not new:
        return index
    names = [*index.skills, *(skill.name for skill in new)]
    vectors = np.concatenate([index.descriptions, encode([describe_skill(skill) for skill in new])])
    order = sorted(range(len(names)), key=lambda place: names[place])
    return index._replace(skills=[names[place] for place in order], descriptions=vectors[order])


def list_excluded(
    entries: Sequence[IndexEntry], excluded: Sequence[Collection[str]] | None
) -> Callable[[int], list[int]]:
    """Return the function that lists the places of the entries that do not count for a question, by its place.

    excluded: the groups that do not count, for each question; `None`: all count.
    """
    if excluded is None:
        return lambda question: []
    by_group: dict[str, list[int]] = {}
    for place, entry in enumerate(entries):
        by_group.setdefault(entry.group, []).append(place)

    def list_places(question: int) -> list[int]:
        return [place for group in sorted(set(excluded[question])) for place in by_group.get(group, ())]

    return list_places
