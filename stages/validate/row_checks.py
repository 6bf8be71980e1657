"""The rules of the FullExemplar contract, checked for all rows, column by column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from exemplars.core.records import ALIGNED, Grounding, Mode
from exemplars.core.reports import NO_SKILL
from exemplars.core.tables import take_rows
from exemplars.dataset.catalog import Skill
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.dataset.templates import SlotSpan, write_template
from exemplars.dataset.texts import has_text
from stages.validate.call_checks import ArgumentChecks, CallChecker, CallChecks
from stages.validate.turn_checks import check_turns

_COPIED: Final = ("id", "digest", "source", "turn", "call", "mode", "speaker", "license")
Rules = np.ndarray[tuple[int], np.dtype[np.bool_]]
"""Whether each row, or each argument, keeps a rule."""


def check_rows(exemplars: pa.Table, skills: Mapping[str, Skill]) -> pd.DataFrame:
    """Check each exemplar, in the order given: its keys, its measures, and whether it keeps each rule of the contract.

    exemplars: a table of `EXEMPLAR_SCHEMA`. skills: the catalog, by name.
    """
    arguments = _flatten_arguments(exemplars)
    names = exemplars.column("skill").to_pylist()
    is_known = np.array([name in skills for name in names], np.bool_)
    has_skill = np.array([name is not None for name in names], np.bool_)
    is_none = np.array([mode == Mode.NONE.value for mode in exemplars.column("mode").to_pylist()], np.bool_)
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
    def counts(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """The number of arguments of each row."""
        return np.diff(self.bounds)

    def keep_all(self, rules: Iterator[bool] | list[bool]) -> Rules:
        """Return whether all arguments of a row keep a rule. rules: whether each argument keeps it."""
        broken = np.concatenate([[0], np.cumsum([not rule for rule in rules], dtype=np.int64)])
        return np.asarray(np.diff(broken[self.bounds]) == 0)


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
    """Check the arguments, and the calls that they make, against the catalog."""
    checkers = {name: CallChecker(skill) for name, skill in skills.items()}
    unknown = CallChecker(None)
    of_arguments: list[ArgumentChecks] = []
    of_calls: list[CallChecks] = []
    are_filled_once: list[bool] = []
    names, modes = (exemplars.column(name).to_pylist() for name in ("skill", "mode"))
    for name, mode, (start, end) in zip(names, modes, pairwise(arguments.bounds), strict=True):
        checker = checkers.get(name or "", unknown)
        slots, values = arguments.slots[start:end], arguments.values[start:end]
        of_arguments += map(checker.check_argument, slots, values, arguments.groundings[start:end])
        leaves = tuple(zip(slots, values, strict=True))
        of_calls.append(checker.check_call(leaves, mode == Mode.NEGATIVE.value))
        are_filled_once.append(len(set(slots)) == len(slots))
    return {
        "paths_are_well_formed": arguments.keep_all(check.path_is_well_formed for check in of_arguments),
        "values_are_admitted": arguments.keep_all(check.value_is_admitted for check in of_arguments),
        "slots_are_filled_once": np.array(are_filled_once, np.bool_),
        "arguments_fit_together": np.array([check.arguments_fit_together for check in of_calls], np.bool_),
        "call_fits_schema": np.array([check.call_fits_schema for check in of_calls], np.bool_),
        "groundings_fit_values": arguments.keep_all(check.grounding_fits_value for check in of_arguments),
    }


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
    fits = zip(arguments.starts, arguments.groundings, strict=True)
    return {
        "spans_are_in_bounds": np.array(are_bounded, np.bool_),
        "surfaces_are_exact": arguments.keep_all(are_exact),
        "spans_are_apart": np.array(are_apart, np.bool_),
        "grounding_fits_span": arguments.keep_all(
            (start is not None) == (grounding in ALIGNED) for start, grounding in fits
        ),
        "exemplar_agrees": np.array(agrees, np.bool_),
    }


def _are_apart(spans: list[SlotSpan]) -> bool:
    """Return whether spans do not overlap."""
    if len(spans) < 2:
        return True
    ordered = sorted((span.start, span.end) for span in spans)
    return all(end <= start for (_, end), (start, _) in pairwise(ordered))
