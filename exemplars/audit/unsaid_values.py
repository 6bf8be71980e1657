"""Parameters whose values no utterance says: reported once, with the remedy, and not once per example.

No pyarrow is imported here, so that `exemplars lint` answers in half a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core.ledger import Problem
from exemplars.core.records import (
    DONTCARE,
    Exemplar,
    Grounding,
    LabelledArgument,
    Reason,
    Record,
    Rejection,
)
from exemplars.core.slot_paths import find_root, generalize_path, parse_path
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import COMPOSED
from stages.compile.exemplars import SourceRules, compile_record
from stages.compile.lexicon import Lexicon

_MIN_VALUES: Final = 3
"""Fewer values may each be a mistake."""
_NEVER_SAID: Final = (Grounding.DEFAULT, Grounding.DONTCARE, Grounding.COMPOSED)
"""The groundings of values that nobody says, whatever fills the parameter."""
Row = Exemplar | Rejection


class UnsaidParameter(NamedTuple):
    """A parameter, or a leaf of one, that nobody says."""

    skill: str
    slot: str
    """Its path without indexes: `dishes[].note`."""
    records: tuple[Record, ...]
    """Those that fill it."""

    def describe(self) -> Problem:
        """Describe what is wrong, and the remedy."""
        root = find_root(self.slot.replace("[]", "[0]"))
        return Problem(
            Reason.VALUE_NOT_FOUND,
            summary=f"none of the {len(self.records):,} values of {self.skill}.{self.slot} is found in its utterances",
            fix=f"if the model writes it, declare it `composed`: `{root}: …, composed` under `#### Parameters:` of a "
            'skill file, "x-filled-by": "composed" in tool definitions; otherwise correct the values',
            slot=self.slot,
        )


def compile_records(
    records: Sequence[Record], skills: Mapping[str, Skill], lexicon: Lexicon, rules: SourceRules
) -> tuple[list[Row], list[UnsaidParameter]]:
    """Compile records as the stage does, but take the parameters that nobody says for composed ones.

    Return the rows in the order of the records, and those parameters.
    """
    rows = [compile_record(record, skills, lexicon, rules) for record in records]
    unsaid = _find_unsaid(zip(records, rows, strict=True), skills, lexicon)
    composed = _declare_composed(skills, unsaid)
    names = {parameter.skill for parameter in unsaid}
    for number, record in enumerate(records):
        if record.skill in names and isinstance(rows[number], Rejection):
            rows[number] = compile_record(record, composed, lexicon, rules)
    return rows, unsaid


def _find_unsaid(
    pairs: Iterable[tuple[Record, Row]], skills: Mapping[str, Skill], lexicon: Lexicon
) -> list[UnsaidParameter]:
    said: set[tuple[str, str]] = set()
    unsaid: dict[tuple[str, str], dict[str, Record]] = {}
    for record, row in pairs:
        for key, is_said in _list_findings(record, row, skills, lexicon):
            if is_said:
                said.add(key)
            else:
                unsaid.setdefault(key, {})[record.id] = record
    return [
        UnsaidParameter(skill, slot, tuple(records.values()))
        for (skill, slot), records in sorted(unsaid.items())
        if (skill, slot) not in said and len(records) >= _MIN_VALUES
    ]


def _list_findings(
    record: Record, row: Row, skills: Mapping[str, Skill], lexicon: Lexicon
) -> Iterator[tuple[tuple[str, str], bool]]:
    """Yield the skill and the path of each value of a record, with whether it is said."""
    if record.skill is None:
        return
    if isinstance(row, Exemplar):
        for argument in row.arguments:
            if argument.grounding not in _NEVER_SAID:
                yield (record.skill, generalize_path(argument.slot)), True
    elif row.reason is Reason.VALUE_NOT_FOUND:
        for label in record.arguments:
            if label.value != DONTCARE:
                is_said = not _is_unsaid(record, label, skills, lexicon)
                yield (record.skill, generalize_path(label.slot)), is_said


def _is_unsaid(
    record: Record, label: LabelledArgument, skills: Mapping[str, Skill], lexicon: Lexicon
) -> bool:
    """Return whether a value of a record is not found, whatever its other values are."""
    alone = msgspec.structs.replace(record, arguments=(label,), exemplar=None)
    row = compile_record(alone, skills, lexicon)
    return isinstance(row, Rejection) and row.reason is Reason.VALUE_NOT_FOUND


def _declare_composed(skills: Mapping[str, Skill], unsaid: Iterable[UnsaidParameter]) -> Mapping[str, Skill]:
    changed = dict(skills)
    for item in unsaid:
        root, *rest = parse_path(item.slot.replace("[]", "[0]"))
        parameters = tuple(
            parameter
            if parameter.name != root
            else msgspec.structs.replace(parameter, composed=True, recognizer=None)
            if not rest or parameter.schema is None
            else msgspec.structs.replace(parameter, schema=_mark_composed(parameter.schema, rest))
            for parameter in changed[item.skill].parameters
        )
        changed[item.skill] = msgspec.structs.replace(changed[item.skill], parameters=parameters)
    return changed


def _mark_composed(schema: Any, segments: Sequence[str | int]) -> Any:
    """Mark the leaf that a path leads to, as far as it leads through items and properties."""
    if not isinstance(schema, Mapping):
        return schema
    if not segments:
        others = {key: value for key, value in schema.items() if key != "x-recognizer"}
        return {**others, "x-filled-by": COMPOSED}
    first, rest = segments[0], segments[1:]
    if isinstance(first, int):
        return {**schema, "items": _mark_composed(schema.get("items", {}), rest)}
    properties = schema.get("properties") or {}
    return {**schema, "properties": {**properties, first: _mark_composed(properties.get(first, {}), rest)}}
