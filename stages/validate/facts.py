"""What is true of each row, each skill and each source: the tables that the expectations judge."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import pyarrow as pa

from exemplars.core.records import DONTCARE, OUT_OF_SCOPE, Argument, Exemplar, Grounding, Mode, Reason
from exemplars.core.reports import NO_SKILL
from exemplars.dataset.catalog import Skill
from exemplars.dataset.templates import write_template
from exemplars.dataset.texts import normalize_text
from stages.validate.params import ValidateParams
from stages.validate.representativeness import Representativeness

_NO_LOSS: Final = OUT_OF_SCOPE | {Reason.DUPLICATE_EXEMPLAR, Reason.NEAR_DUPLICATE, Reason.ERASED}
"""Reasons that are no fault: there was nothing new, another row has it, or it had to go."""
SIGNIFICANT: Final = 0.05
"""The p-value from which an association may be chance."""
_LOCATED: Final = frozenset({Grounding.VERBATIM, Grounding.CASE, Grounding.NORMALIZED, Grounding.RECOGNIZED})


class RowFacts(NamedTuple):
    """One exemplar: its keys, its measures, and a true or false for each rule of the contract."""

    id: str
    digest: str
    source: str
    skill: str
    mode: str
    license: str
    utterance_length: int
    """Code points."""
    skill_is_known: bool
    slots_are_known: bool
    values_are_admitted: bool
    slots_are_filled_once: bool
    spans_are_in_bounds: bool
    surfaces_are_exact: bool
    spans_are_apart: bool
    grounding_fits_span: bool
    exemplar_agrees: bool


class SkillFacts(NamedTuple):
    """One skill that the catalog or an exemplar has."""

    skill: str
    rows: int
    share: float
    """Of all exemplars."""


class SourceFacts(NamedTuple):
    """One source."""

    source: str
    exemplars: int
    rejections: int
    """Of records that had something new to say."""
    rejection_rate: float


class PairFacts(NamedTuple):
    """Two texts that are nearly the same."""

    pair: str
    similarity: float
    crosses: bool
    """One of the texts is in one split, and the other in another."""


class DataFacts(NamedTuple):
    """One figure of the whole data set, with the bounds that it must keep."""

    figure: str
    value: float
    ok: bool


def row_facts(exemplars: Iterable[Exemplar], skills: Mapping[str, Skill]) -> Iterator[RowFacts]:
    """The facts of each exemplar, in the order given.

    skills: the catalog, by name.
    """
    for one in exemplars:
        skill = None if one.skill is None else skills.get(one.skill)
        located = [argument for argument in one.arguments if argument.start is not None]
        bounded = [argument for argument in located if _in_bounds(argument, one.utterance)]
        yield RowFacts(
            id=one.id,
            digest=one.digest,
            source=one.source,
            skill=one.skill or NO_SKILL,
            mode=str(one.mode),
            license=one.license,
            utterance_length=len(one.utterance),
            skill_is_known=(one.skill is None) == (one.mode is Mode.NONE)
            and (one.skill is None or skill is not None),
            slots_are_known=skill is not None or not one.arguments,
            values_are_admitted=_values_are_admitted(one.arguments, skill),
            slots_are_filled_once=len({argument.slot for argument in one.arguments}) == len(one.arguments),
            spans_are_in_bounds=len(bounded) == len(located),
            surfaces_are_exact=all(_is_exact(argument, one.utterance) for argument in one.arguments),
            spans_are_apart=_apart(bounded),
            grounding_fits_span=all(
                (a.start is not None) == (a.grounding in _LOCATED) for a in one.arguments
            ),
            exemplar_agrees=len(bounded) == len(located) and _agrees(one),
        )


def skill_facts(exemplars: pa.Table, skills: Mapping[str, Skill]) -> list[SkillFacts]:
    """The facts of each skill that the catalog or an exemplar has, by name."""
    counts = Counter(name or NO_SKILL for name in exemplars.column("skill").to_pylist())
    total = max(exemplars.num_rows, 1)
    return [SkillFacts(name, counts[name], counts[name] / total) for name in sorted({*counts, *skills})]


def source_facts(exemplars: pa.Table, rejections: pa.Table) -> list[SourceFacts]:
    """The facts of each source, by name."""
    kept = Counter(exemplars.column("source").to_pylist())
    faulty = Counter(
        source
        for source, reason in zip(
            rejections.column("source").to_pylist(), rejections.column("reason").to_pylist(), strict=True
        )
        if reason not in _NO_LOSS
    )
    return [
        SourceFacts(name, kept[name], faulty[name], faulty[name] / max(kept[name] + faulty[name], 1))
        for name in sorted({*kept, *faulty})
    ]


def pair_facts(pairs: pa.Table, splits: Mapping[str, pa.Table]) -> list[PairFacts]:
    """The facts of each verified pair of near duplicates.

    splits: the rows of each split, by its name.
    """
    places: dict[tuple[str, str], set[str]] = {}
    for name, table in splits.items():
        for column in ("utterance", "exemplar"):
            for text in table.column(column).to_pylist():
                places.setdefault((column, normalize_text(text)), set()).add(name)
    columns = (pairs.column(name).to_pylist() for name in ("column", "first", "second", "similarity"))
    found = []
    for column, first, second, similarity in zip(*columns, strict=True):
        one, other = places.get((column, first), set()), places.get((column, second), set())
        crosses = any(a != b for a in one for b in other)
        found.append(PairFacts(f"{column}: {first} | {second}", similarity, crosses))
    return found


def data_facts(
    about: Representativeness, personal: int, rows: int, params: ValidateParams
) -> list[DataFacts]:
    """The figures of coverage, balance, association and privacy, each against its bound.

    personal: personal data that no argument labels. rows: the exemplars.
    """
    asked = [one for one in about.coverage if not one.value]
    thin = sum(one.rows < params.min_rows_a_parameter for one in asked) / max(len(asked), 1)
    entropy = next((one.entropy for one in about.balance if one.name == "skills"), 0.0)
    loose = personal / max(rows, 1)
    return [
        DataFacts("share of thin skills and parameters", thin, thin <= params.max_thin_share),
        DataFacts("entropy of skills", entropy, entropy >= params.min_skill_entropy),
        DataFacts("unlabelled personal data a row", loose, loose <= params.max_unlabelled_personal_share),
        *(
            DataFacts(
                f"association of {one.dimension} with skills",
                one.effect,
                one.p_value >= SIGNIFICANT or one.effect <= params.max_association,
            )
            for one in about.associations
        ),
    ]


def _values_are_admitted(arguments: Iterable[Argument], skill: Skill | None) -> bool:
    if skill is None:
        return True
    parameters = {one.name: one for one in skill.parameters}
    return all(
        one.slot in parameters
        and (one.value == DONTCARE or not parameters[one.slot].enum or one.value in parameters[one.slot].enum)
        for one in arguments
    )


def _in_bounds(argument: Argument, utterance: str) -> bool:
    start, end = argument.start, argument.end
    return start is not None and end is not None and 0 <= start < end <= len(utterance)


def _is_exact(argument: Argument, utterance: str) -> bool:
    """`utterance[start:end] == surface`, or none of the three."""
    if argument.start is None or argument.end is None:
        return argument.start is None and argument.end is None and argument.surface is None
    return utterance[argument.start : argument.end] == argument.surface


def _apart(arguments: Iterable[Argument]) -> bool:
    spans = sorted((one.start or 0, one.end or 0) for one in arguments)
    return all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))


def _agrees(exemplar: Exemplar) -> bool:
    return exemplar.exemplar == write_template(exemplar.utterance, exemplar.arguments)
