"""What a tagger can say: the skills, the paths of their leaves, and the values that need no words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from exemplars.core.records import DONTCARE, Argument, Exemplar, Grounding
from exemplars.dataset.catalog import Skill
from exemplars.dataset.expressions.readings import READABLE, read_value
from exemplars.dataset.expressions.values import classify_value
from exemplars.dataset.parameters import Parameter

NO_SKILL: Final = 0
"""The number of "no call" among the skills; that of a skill is one more than its place."""
OUTSIDE: Final = 0
"""The tag of a token that no argument covers."""
MOMENT: Final = "moment"
"""The kind of a slot whose words no train row shows: a time or a date if the words are one, else as they are."""
_LISTED: Final = (Grounding.CATEGORICAL, Grounding.BOOLEAN, Grounding.DONTCARE)


class Choice(msgspec.Struct, frozen=True):
    """What a slot may be filled with that is not a span of the utterance."""

    grounding: Grounding | None
    """`None`: nothing but a span fills the slot."""
    value: str | None = None
    """`None`: the value is a span of an earlier turn (`context`), or the tagger cannot know it (`composed`)."""


class Slot(msgspec.Struct, frozen=True):
    """A path of a skill's arguments."""

    path: str
    choices: tuple[Choice, ...]
    """The first is that of no choice."""
    kind: str | None = None
    """How its words are read as a value: one of `READABLE`, or `MOMENT`; `None`: as they are."""
    aliases: dict[str, str] = {}
    """The values of words, folded, that mean a different value than they say, from train rows."""


class SkillSlots(msgspec.Struct, frozen=True):
    """A skill and its slots."""

    name: str
    slots: tuple[Slot, ...]
    has_rows: bool = True
    """Whether train rows call it; if not, all that is known of it is what the catalog says."""


class Vocabulary(msgspec.Struct, frozen=True):
    """The skills that a tagger knows, by name."""

    skills: tuple[SkillSlots, ...]

    def number_skill(self, name: str | None) -> int | None:
        """Return the number of a skill, or of "no call" for `None`; `None` if the tagger does not know it."""
        if name is None:
            return NO_SKILL
        return next((place + 1 for place, skill in enumerate(self.skills) if skill.name == name), None)

    def find_slots(self, number: int) -> tuple[Slot, ...]:
        """Return the slots of the skill with a number; none for "no call"."""
        return () if number == NO_SKILL else self.skills[number - 1].slots

    @property
    def tag_starts(self) -> list[int]:
        """The first tag of each skill, by number, and the number of tags; a slot has two: begin and inside."""
        starts = [1, 1]
        for skill in self.skills:
            starts.append(starts[-1] + 2 * len(skill.slots))
        return starts

    @property
    def choice_starts(self) -> list[list[int]]:
        """The first choice of each slot of each skill, by number, and of what follows the last slot."""
        position, starts = 0, [[0]]
        for skill in self.skills:
            starts.append([position])
            for slot in skill.slots:
                position += len(slot.choices)
                starts[-1].append(position)
        return starts


def build_vocabulary(skills: Iterable[Skill], exemplars: Iterable[Exemplar]) -> Vocabulary:
    """Build the vocabulary of all skills of the catalog that have train rows or a description.

    A leaf of an array or an object has a slot if a train row fills its path. Every slot of a skill that is called in
    dialogues may have a value from an earlier turn, if any slot has one in these rows.
    """
    arguments: dict[str, dict[str, list[tuple[Exemplar, Argument]]]] = {}
    in_dialogues: set[str] = set()
    for exemplar in exemplars:
        if exemplar.skill is not None:
            if exemplar.context:
                in_dialogues.add(exemplar.skill)
            by_path = arguments.setdefault(exemplar.skill, {})
            for argument in exemplar.arguments:
                by_path.setdefault(argument.slot, []).append((exemplar, argument))
    has_context = any(
        argument.grounding is Grounding.CONTEXT
        for by_path in arguments.values()
        for filled in by_path.values()
        for _, argument in filled
    )
    built = []
    for skill in sorted(skills, key=lambda skill: skill.name):
        has_rows = skill.name in arguments
        if has_rows or skill.description:
            is_asked_later = has_context and (skill.name in in_dialogues or not has_rows)
            built.append(_build_skill(skill, arguments.get(skill.name, {}), has_rows, is_asked_later))
    return Vocabulary(tuple(built))


def _build_skill(
    skill: Skill,
    arguments: Mapping[str, Sequence[tuple[Exemplar, Argument]]],
    has_rows: bool,
    is_asked_later: bool,
) -> SkillSlots:
    flat = [parameter.name for parameter in skill.parameters if parameter.type not in ("array", "object")]
    paths = dict.fromkeys([*flat, *sorted(arguments)])
    return SkillSlots(
        skill.name,
        tuple(
            _build_slot(path, skill.find_parameter(path), arguments.get(path, ()), is_asked_later)
            for path in paths
        ),
        has_rows,
    )


def _build_slot(
    path: str,
    parameter: Parameter | None,
    filled: Sequence[tuple[Exemplar, Argument]],
    is_asked_later: bool,
) -> Slot:
    kind = _determine_kind(parameter, filled)
    return Slot(path, _list_choices(parameter, filled, is_asked_later), kind, _list_aliases(kind, filled))


def _list_choices(
    parameter: Parameter | None, filled: Sequence[tuple[Exemplar, Argument]], is_asked_later: bool
) -> tuple[Choice, ...]:
    """List the choices of a slot: those that the catalog declares, and those that train rows make."""
    choices = [Choice(None)]
    if parameter is not None:
        choices += [Choice(Grounding.CATEGORICAL, value) for value in parameter.enum if value != DONTCARE]
        if parameter.type == "boolean":
            choices += [Choice(Grounding.BOOLEAN, "True"), Choice(Grounding.BOOLEAN, "False")]
        if parameter.dontcare or DONTCARE in parameter.enum:
            choices.append(Choice(Grounding.DONTCARE, DONTCARE))
        if parameter.composed:
            choices.append(Choice(Grounding.COMPOSED))
    if is_asked_later:
        choices.append(Choice(Grounding.CONTEXT))
    seen = {make_choice(argument) for _, argument in filled if argument.grounding in _LISTED}
    without_value = {Grounding.CONTEXT, Grounding.COMPOSED}
    seen |= {Choice(argument.grounding) for _, argument in filled if argument.grounding in without_value}
    seen |= {make_choice(argument) for _, argument in filled if argument.grounding is Grounding.DEFAULT}
    new = sorted(seen - set(choices), key=lambda choice: (str(choice.grounding), choice.value or ""))
    return (*choices, *new)


def make_choice(argument: Argument) -> Choice:
    """Make the choice that an argument without a span of its own is."""
    if argument.grounding in (Grounding.CONTEXT, Grounding.COMPOSED):
        return Choice(argument.grounding)
    return Choice(argument.grounding, argument.value)


def _determine_kind(parameter: Parameter | None, filled: Sequence[tuple[Exemplar, Argument]]) -> str | None:
    """Determine how the words of a slot are read: as its type or recognizer says, or as most of its values are."""
    if parameter is not None:
        if parameter.type in ("integer", "number"):
            return "number"
        if parameter.recognizer in READABLE:
            return parameter.recognizer
        if parameter.enum:
            return None
    said = Counter(
        classify_value(argument.value)
        for _, argument in filled
        if argument.start is not None or argument.grounding is Grounding.CONTEXT
    )
    if not said:
        return MOMENT if parameter is not None and parameter.type == "string" else None
    kind, count = said.most_common(1)[0]
    is_kind = kind in READABLE and 2 * count > said.total()
    return kind if is_kind and kind is not None and _is_read(kind, filled) else None


def _is_read(kind: str, filled: Sequence[tuple[Exemplar, Argument]]) -> bool:
    """Return whether most words that an expression changes are values in its form, rather than as said.

    Dates are not compared, since what they refer to is not known here.
    """
    changed = right = 0
    for exemplar, argument in filled if kind != "date" else ():
        if argument.start is not None and argument.end is not None:
            read = read_value(exemplar.utterance, argument.start, argument.end, kind, None)
            if read is not None and read != argument.surface:
                changed, right = changed + 1, right + (read == argument.value)
    return not changed or 2 * right > changed


def _list_aliases(kind: str | None, filled: Sequence[tuple[Exemplar, Argument]]) -> dict[str, str]:
    """List the words whose most frequent value is neither the words themselves nor what an expression reads in them."""
    counts: dict[str, Counter[str]] = {}
    explained: set[tuple[str, str]] = set()
    for exemplar, argument in filled if kind != "date" else ():
        if argument.surface is not None and argument.start is not None and argument.end is not None:
            words = argument.surface.casefold()
            counts.setdefault(words, Counter())[argument.value] += 1
            read = kind and read_value(exemplar.utterance, argument.start, argument.end, kind, None)
            if argument.value in (argument.surface, read):
                explained.add((words, argument.value))
    most = {words: min(values, key=lambda value: (-values[value], value)) for words, values in counts.items()}
    return {words: most[words] for words in sorted(most) if (words, most[words]) not in explained}
