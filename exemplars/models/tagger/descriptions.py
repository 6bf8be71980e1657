"""What the catalog says about skills, slots and choices, as texts: what is described alike is said alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from exemplars.core.records import Grounding
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.models.tagger.vocabulary import Choice, Slot, Vocabulary


class Descriptions(NamedTuple):
    """Texts in the order in which a network numbers its outputs; "no call" and the tag outside have none."""

    skills: list[str]
    slots: list[str]
    choices: list[str]


def describe_vocabulary(vocabulary: Vocabulary, skills: Mapping[str, Skill]) -> Descriptions:
    """Describe everything that a tagger can say. skills: the catalog by name."""
    described = Descriptions([], [], [])
    for known in vocabulary.skills:
        skill = skills[known.name]
        described.skills.append(_join(_split_name(known.name), skill.description))
        for slot in known.slots:
            text = _describe_slot(slot, skill)
            described.slots.append(text)
            described.choices.extend(_describe_choice(choice, slot, text) for choice in slot.choices)
    return described


def _describe_choice(choice: Choice, slot: Slot, text: str) -> str:
    """Describe a choice. text: the description of its slot, of which a value of an enumeration needs the name alone."""
    if choice.grounding is Grounding.CATEGORICAL and choice.value:
        return f"{choice.value} {_split_name(slot.path)}"
    return _join(text, choice.value or str(choice.grounding or ""))


def _describe_slot(slot: Slot, skill: Skill) -> str:
    parameter = skill.find_parameter(slot.path) or Parameter(slot.path)
    return _join(_split_name(slot.path), parameter.description)


def _split_name(name: str) -> str:
    """Split a name into its words: `screening_time` is "screening time"."""
    return " ".join(name.replace("_", " ").replace(".", " ").split())


def _join(name: str, text: str) -> str:
    return f"{name}: {text}" if text else name
