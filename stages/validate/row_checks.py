"""The rules of the FullExemplar contract, checked for all rows, column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from exemplars.core.arrays import sort_unique
from exemplars.core.records import ALIGNED, Grounding, Mode
from exemplars.core.reports import NO_SKILL
from exemplars.core.slot_paths import find_root
from exemplars.core.tables import take_rows
from exemplars.dataset.catalog import Skill
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.dataset.templates import SlotSpan, write_template
from exemplars.dataset.texts import has_text
from stages.validate.call_checks import ArgumentChecks, CallChecker, Leaves
from stages.validate.turn_checks import check_turns

_COPIED: Final = ("id", "digest", "source", "turn", "call", "mode", "speaker", "license")
Rules = np.ndarray[tuple[int], np.dtype[np.bool_]]
"""Whether each row, or each argument, keeps a rule."""
Codes = np.ndarray[tuple[int], np.dtype[np.int64]]
"""A number of each row, or of each argument."""
_NONE, _NEGATIVE = Mode.NONE.value, Mode.NEGATIVE.value


def check_rows(exemplars: pa.Table, skills: Mapping[str, Skill]) -> pd.DataFrame:
    """Check each exemplar, in the order given: its keys, its measures, and whether it keeps each rule of the contract.

    exemplars: a table of `EXEMPLAR_SCHEMA`. skills: the catalog, by name.
    """
    arguments = _flatten_arguments(exemplars)
    names = exemplars.column("skill").to_pylist()
    is_known = np.array([name in skills for name in names], np.bool_)
    has_skill = np.array([name is not None for name in names], np.bool_)
    is_none = np.array([mode == _NONE for mode in exemplars.column("mode").to_pylist()], np.bool_)
    columns: dict[str, Any] = {
        **{name: exemplars.column(name).to_pandas() for name in _COPIED},
        "call": exemplars.column("call").to_numpy().astype(np.int64),
        "skill": [name or NO_SKILL for name in names],
        # In code points.
        "utterance_length": pc.utf8_length(exemplars.column("utterance")).to_numpy().astype(np.int64),
        **_check_turns(exemplars),
        "skill_is_known": (has_skill != is_none) & (~has_skill | is_known),
        "slots_are_known": is_known | (arguments.counts == 0),
        **_check_calls(exemplars, arguments, skills),
        **_check_spans(exemplars, arguments),
        "reply_is_text": [
            reply is None or has_text(reply) for reply in exemplars.column("reply").to_pylist()
        ],
    }
    return pd.DataFrame(columns)


class _Arguments(NamedTuple):
    """The arguments of all rows."""

    slots: list[str]
    values: list[str]
    groundings: list[Grounding]
    surfaces: list[str | None]
    starts: list[int | None]
    ends: list[int | None]
    bounds: list[int]
    """The number of arguments before each row, and of all."""

    @property
    def counts(self) -> Codes:
        """The number of arguments of each row."""
        return np.diff(self.bounds)

    @property
    def rows(self) -> Codes:
        """The row of each argument, from 0."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def get_leaves(self, row: int) -> Leaves:
        """Return the paths and values of the arguments of a row."""
        part = slice(*self.bounds[row : row + 2])
        return tuple(zip(self.slots[part], self.values[part], strict=True))

    def keep_all(self, rules: Rules) -> Rules:
        """Return whether all arguments of a row keep a rule. rules: whether each argument keeps it."""
        broken = np.concatenate([[0], np.cumsum(~rules, dtype=np.int64)])
        return np.asarray(np.diff(broken[self.bounds]) == 0)

    def count_different(self, codes: Codes) -> Codes:
        """Count the different numbers that the arguments of each row have. codes: a number of each argument."""
        size = int(codes.max(initial=0)) + 1
        return np.bincount(sort_unique(self.rows * size + codes) // size, minlength=len(self.counts))


def _flatten_arguments(exemplars: pa.Table) -> _Arguments:
    column = exemplars.column("arguments").combine_chunks()
    flat = column.flatten()
    slots, values, groundings, surfaces, starts, ends = (
        pc.struct_field(flat, name).to_pylist()
        for name in ("slot", "value", "grounding", "surface", "start", "end")
    )
    bounds = np.concatenate([[0], np.cumsum(pc.list_value_length(column).to_numpy(), dtype=np.int64)])
    members = {member.value: member for member in Grounding}
    return _Arguments(
        slots, values, [members[name] for name in groundings], surfaces, starts, ends, bounds.tolist()
    )


def _check_turns(exemplars: pa.Table) -> dict[str, Rules]:
    """Check the turns; a turn of a single call that is its first keeps all rules."""
    turns = pd.Series(exemplars.column("turn").to_pylist(), dtype=object)
    is_suspect = turns.duplicated(keep=False).to_numpy() | (exemplars.column("call").to_numpy() != 0)
    is_numbered, agrees = np.ones((2, len(turns)), np.bool_)
    suspects = np.flatnonzero(is_suspect).tolist()
    rows = exemplars_from_table(take_rows(exemplars, suspects))
    checks = check_turns(rows)
    for number, row in zip(suspects, rows, strict=True):
        is_numbered[number], agrees[number] = checks[row.turn]
    return {"calls_are_numbered": is_numbered, "turn_agrees": agrees}


def _check_calls(exemplars: pa.Table, arguments: _Arguments, skills: Mapping[str, Skill]) -> dict[str, Rules]:
    """Check the arguments, and the calls that they make, against the catalog.

    Each different argument is checked once. A call whose parameters have one argument each keeps the rules if all of
    these do, and if it has the parameters that it needs; other calls are checked one by one.
    """
    names = [name if name in skills else None for name in exemplars.column("skill").to_pylist()]
    of_rows, unique = _encode(names)
    checkers = [CallChecker(None if name is None else skills[name]) for name in unique]
    slots, values, groundings, rows = arguments.slots, arguments.values, arguments.groundings, arguments.rows
    slot_codes, known_slots = _encode(slots)
    codes = _combine(of_rows[rows], slot_codes, _encode(values)[0], _encode(groundings)[0])
    _, firsts, places = np.unique(codes, return_index=True, return_inverse=True)
    checks = [
        checkers[of_rows[rows[number]]].check_argument(slots[number], values[number], groundings[number])
        for number in firsts.tolist()
    ]
    columns = np.array(checks, np.bool_).reshape(-1, len(ArgumentChecks._fields))[places].T
    rules = dict(zip(ArgumentChecks._fields, map(arguments.keep_all, columns), strict=True))
    modes = exemplars.column("mode").to_pylist()
    is_negative = np.array([mode == _NEGATIVE for mode in modes], np.bool_)
    filled = np.bincount(rows, columns[ArgumentChecks._fields.index("is_required")], len(names))
    required = np.array([len(checker.required) for checker in checkers], np.int64)
    is_complete = is_negative | (filled == required[of_rows])
    fits, fits_schema = rules["arguments_fit_together"], rules["call_fits_schema"]
    fits_schema &= fits & is_complete
    roots = _encode([find_root(slot) for slot in known_slots])[0]
    for row in np.flatnonzero(arguments.count_different(roots[slot_codes]) < arguments.counts).tolist():
        checker = checkers[of_rows[row]]
        fits[row], fits_schema[row] = checker.check_call(arguments.get_leaves(row), bool(is_negative[row]))
    return {
        "paths_are_well_formed": rules["path_is_well_formed"],
        "values_are_admitted": rules["value_is_admitted"],
        "slots_are_filled_once": arguments.count_different(slot_codes) == arguments.counts,
        "arguments_fit_together": fits,
        "call_fits_schema": fits_schema,
        "groundings_fit_values": rules["grounding_fits_value"],
    }


def _encode(items: Sequence[Any]) -> tuple[Codes, list[Any]]:
    """Number the different items, from 0: return the number of each item, and the different ones."""
    numbers: dict[Any, int] = {}
    codes = [numbers.setdefault(item, len(numbers)) for item in items]
    return np.array(codes, np.int64), list(numbers)


def _combine(*columns: Codes) -> Codes:
    """Combine columns of numbers into one column, with a different number for each different row."""
    combined = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        combined = np.unique(combined * (column.max(initial=0) + 1) + column, return_inverse=True)[1]
    return combined


def _check_spans(exemplars: pa.Table, arguments: _Arguments) -> dict[str, Rules]:
    """Check the spans of the arguments, and the template that they make of the utterance."""
    are_bounded: list[bool] = []
    are_exact: list[bool] = []
    are_apart: list[bool] = []
    agrees: list[bool] = []
    utterances, templates = (exemplars.column(name).to_pylist() for name in ("utterance", "exemplar"))
    for utterance, template, (first, last) in zip(
        utterances, templates, pairwise(arguments.bounds), strict=True
    ):
        spans: list[SlotSpan] = []
        is_bounded = True
        for number in range(first, last):
            start, end, surface = (
                arguments.starts[number],
                arguments.ends[number],
                arguments.surfaces[number],
            )
            if start is None or end is None:
                is_bounded = is_bounded and start is None
                are_exact.append(start is None and end is None and surface is None)
                continue
            are_exact.append(utterance[start:end] == surface)
            if 0 <= start < end <= len(utterance):
                spans.append(SlotSpan(arguments.slots[number], start, end))
            else:
                is_bounded = False
        are_bounded.append(is_bounded)
        are_apart.append(_are_apart(spans))
        agrees.append(is_bounded and template == (write_template(utterance, spans) if spans else utterance))
    has_span = np.array([start is not None for start in arguments.starts], np.bool_)
    is_aligned = np.array([grounding in ALIGNED for grounding in arguments.groundings], np.bool_)
    return {
        "spans_are_in_bounds": np.array(are_bounded, np.bool_),
        "surfaces_are_exact": arguments.keep_all(np.array(are_exact, np.bool_)),
        "spans_are_apart": np.array(are_apart, np.bool_),
        "grounding_fits_span": arguments.keep_all(has_span == is_aligned),
        "exemplar_agrees": np.array(agrees, np.bool_),
    }


def _are_apart(spans: list[SlotSpan]) -> bool:
    """Return whether spans do not overlap."""
    if len(spans) < 2:
        return True
    ordered = sorted((span.start, span.end) for span in spans)
    return all(end <= start for (_, end), (start, _) in pairwise(ordered))
