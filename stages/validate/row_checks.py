"""The rules of the FullExemplar contract, checked row by row."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from exemplars.core.records import ALIGNED, Argument, Exemplar, Mode
from exemplars.core.reports import NO_SKILL
from exemplars.dataset.catalog import Skill
from exemplars.dataset.templates import write_template
from exemplars.dataset.texts import has_text
from stages.validate.call_checks import build_call_checks
from stages.validate.turn_checks import check_turns


class RowChecks(NamedTuple):
    """One exemplar: its keys, its measures, and whether it keeps each rule of the contract."""

    id: str
    digest: str
    source: str
    turn: str
    call: int
    skill: str
    mode: str
    speaker: str
    license: str
    utterance_length: int
    """In code points."""
    calls_are_numbered: bool
    turn_agrees: bool
    skill_is_known: bool
    slots_are_known: bool
    paths_are_well_formed: bool
    values_are_admitted: bool
    slots_are_filled_once: bool
    arguments_fit_together: bool
    call_fits_schema: bool
    spans_are_in_bounds: bool
    surfaces_are_exact: bool
    spans_are_apart: bool
    grounding_fits_span: bool
    groundings_fit_values: bool
    exemplar_agrees: bool
    reply_is_text: bool


def check_rows(exemplars: Sequence[Exemplar], skills: Mapping[str, Skill]) -> Iterator[RowChecks]:
    """Check each exemplar, in the order given.

    skills: the catalog, by name.
    """
    check_call, turns = build_call_checks(skills), check_turns(exemplars)
    for exemplar in exemplars:
        skill = None if exemplar.skill is None else skills.get(exemplar.skill)
        arguments = exemplar.arguments
        aligned = [argument for argument in arguments if argument.start is not None]
        bounded = [argument for argument in aligned if _is_in_bounds(argument, exemplar.utterance)]
        yield RowChecks(
            id=exemplar.id,
            digest=exemplar.digest,
            source=exemplar.source,
            turn=exemplar.turn,
            call=exemplar.call,
            skill=exemplar.skill or NO_SKILL,
            mode=str(exemplar.mode),
            speaker=str(exemplar.speaker),
            license=exemplar.license,
            utterance_length=len(exemplar.utterance),
            skill_is_known=(exemplar.skill is None) == (exemplar.mode is Mode.NONE)
            and (exemplar.skill is None or skill is not None),
            slots_are_known=skill is not None or not arguments,
            slots_are_filled_once=len({argument.slot for argument in arguments}) == len(arguments),
            spans_are_in_bounds=len(bounded) == len(aligned),
            surfaces_are_exact=all(_is_exact(argument, exemplar.utterance) for argument in arguments),
            spans_are_apart=_has_disjoint_spans(bounded),
            grounding_fits_span=all(
                (argument.start is not None) == (argument.grounding in ALIGNED) for argument in arguments
            ),
            exemplar_agrees=len(bounded) == len(aligned) and _has_matching_template(exemplar),
            reply_is_text=exemplar.reply is None or has_text(exemplar.reply),
            **check_call(exemplar)._asdict(),
            **turns[exemplar.turn]._asdict(),
        )


def _is_in_bounds(argument: Argument, utterance: str) -> bool:
    start, end = argument.start, argument.end
    return start is not None and end is not None and 0 <= start < end <= len(utterance)


def _is_exact(argument: Argument, utterance: str) -> bool:
    """Return whether `utterance[start:end] == surface`, or all three are `None`."""
    if argument.start is None or argument.end is None:
        return argument.start is None and argument.end is None and argument.surface is None
    return utterance[argument.start : argument.end] == argument.surface


def _has_disjoint_spans(arguments: Iterable[Argument]) -> bool:
    spans = sorted((argument.start or 0, argument.end or 0) for argument in arguments)
    return all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))


def _has_matching_template(exemplar: Exemplar) -> bool:
    return exemplar.exemplar == write_template(exemplar.utterance, exemplar.arguments)
