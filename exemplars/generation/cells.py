"""The cells of the coverage: skill, argument pattern, value, length and form of speech; and those that are thin."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import cycle, islice
from typing import Final, NamedTuple, get_args

from exemplars.core.records import DONTCARE, Exemplar, Mode, Speaker
from exemplars.core.slot_paths import find_root
from exemplars.dataset.catalog import Skill
from exemplars.dataset.generated_answers import Cell, Form, Length
from exemplars.dataset.speech import write_as_spoken

SHORT_WORDS: Final = 5
"""Maximum number of words of a short utterance."""
MEDIUM_WORDS: Final = 12
"""Maximum number of words of an utterance of medium length."""
_LENGTHS: Final[tuple[Length, ...]] = ("medium", "short", "long")
_FORMS: Final[tuple[Form, ...]] = get_args(Form)


class Need(NamedTuple):
    """A cell that is thin, and how many examples it needs."""

    cell: Cell
    rows: int
    """Its rows in the train split."""
    examples: int
    """The examples to ask for."""


def classify_row(row: Exemplar, skill: Skill) -> list[Cell]:
    """List the cells that a row is in: that of its arguments, and one for each enumerated value."""
    length, form = classify_utterance(row.utterance)
    values = {find_root(argument.slot): argument.value for argument in row.arguments}
    slots = tuple(parameter.name for parameter in skill.parameters if parameter.name in values)
    return [
        Cell(row.skill or "", slots, length=length, form=form),
        *(
            Cell(row.skill or "", slots, parameter.name, values[parameter.name], length, form)
            for parameter in skill.parameters
            if parameter.enum and values.get(parameter.name) in parameter.enum
        ),
    ]


def classify_utterance(utterance: str) -> tuple[Length, Form]:
    """Return the length of an utterance, and whether it is written as a speech recognizer writes.

    >>> classify_utterance("Play it!"), classify_utterance("play something by the band that we saw")
    (('short', 'written'), ('medium', 'spoken'))
    """
    words = len(utterance.split())
    length: Length = "short" if words <= SHORT_WORDS else "medium" if words <= MEDIUM_WORDS else "long"
    return length, "spoken" if utterance == write_as_spoken(utterance) else "written"


def count_cells(rows: Iterable[Exemplar], skills: Mapping[str, Skill]) -> Counter[Cell]:
    """Count the rows of each cell, as `select_requests` selects them."""
    counts: Counter[Cell] = Counter()
    for row in select_requests(rows):
        skill = skills.get(row.skill or "")
        if skill is not None:
            counts.update(classify_row(row, skill))
    return counts


def select_requests(rows: Iterable[Exemplar]) -> Iterator[Exemplar]:
    """Select the rows whose user asks for a call outright, which is what models are asked to write."""
    for row in rows:
        if row.skill is not None and row.mode is Mode.NORMAL and row.speaker is Speaker.USER:
            yield row


def list_cells(skill: Skill, counts: Mapping[Cell, int]) -> list[Cell]:
    """List the cells of a skill.

    The argument patterns are those of its rows, the required parameters alone, and these with one more parameter.
    A value of an enumeration is prescribed with the required parameters.
    """
    required = {parameter.name for parameter in skill.parameters if parameter.required}
    patterns = {_order(required, skill): None}
    patterns.update({_order({*required, parameter.name}, skill): None for parameter in skill.parameters})
    patterns.update({cell.slots: None for cell in counts if cell.skill == skill.name})
    parts = [(slots, "", "") for slots in patterns] + [
        (_order({*required, parameter.name}, skill), parameter.name, value)
        for parameter in skill.parameters
        for value in parameter.enum
        if value != DONTCARE
    ]
    return [Cell(skill.name, *part, length, form) for part in parts for form in _FORMS for length in _LENGTHS]


def _order(names: set[str], skill: Skill) -> tuple[str, ...]:
    return tuple(parameter.name for parameter in skill.parameters if parameter.name in names)


def find_needs(
    skills: Sequence[Skill], counts: Mapping[Cell, int], asked: Mapping[Cell, int], minimum: int
) -> list[Need]:
    """Find the cells with fewer rows than `minimum`, those first that need examples most.

    asked: the examples of each cell that were asked for, and that nobody has decided on. Empty cells come first;
    among cells of the same number of rows, each part of the catalog has one before any has two.
    """
    ranked = []
    for skill in skills:
        cells = list_cells(skill, counts)
        for (slots, slot, value), members in _group_parts(cells).items():
            rows = sum(counts.get(cell, 0) for cell in members)
            members.sort(key=lambda cell: counts.get(cell, 0))
            ranked += [
                ((counts.get(cell, 0), place, rows, skill.name, slots, slot, value), cell)
                for place, cell in enumerate(members)
            ]
    needs = (
        Need(cell, counts.get(cell, 0), minimum - counts.get(cell, 0) - asked.get(cell, 0))
        for _, cell in sorted(ranked)
    )
    return [need for need in needs if need.examples > 0]


def _group_parts(cells: Iterable[Cell]) -> dict[tuple[tuple[str, ...], str, str], list[Cell]]:
    parts: dict[tuple[tuple[str, ...], str, str], list[Cell]] = defaultdict(list)
    for cell in cells:
        parts[cell.slots, cell.slot, cell.value].append(cell)
    return parts


def limit_needs(needs: Sequence[Need], count: int) -> list[Need]:
    """Limit needs to `count` examples, in their order."""
    limited, left = [], count
    for need in needs:
        if left <= 0:
            break
        limited.append(need._replace(examples=min(need.examples, left)))
        left -= need.examples
    return limited


def fill_up_needs(needs: Sequence[Need], cells: Sequence[Cell], count: int) -> list[Need]:
    """Limit needs to `count` examples, or spread what they do not reach evenly over `cells`."""
    extra = count - sum(need.examples for need in needs)
    if extra <= 0:
        return limit_needs(needs, count)
    added = Counter(islice(cycle(cells), extra))
    by_cell = {need.cell: need for need in needs}
    for cell, examples in added.items():
        need = by_cell.get(cell, Need(cell, 0, 0))
        by_cell[cell] = need._replace(examples=need.examples + examples)
    return list(by_cell.values())


def iterate_batches(need: Need, size: int) -> Iterator[int]:
    """Yield the number of examples of each request for a cell, at most `size`.

    >>> list(iterate_batches(Need(Cell("light"), 0, 7), 3))
    [3, 3, 1]
    """
    left = need.examples
    while left > 0:
        yield min(left, size)
        left -= size
