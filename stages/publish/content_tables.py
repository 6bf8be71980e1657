"""The page's tables about content: splits, skills, coverage, people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from exemplars.core.reports import format_p_value
from exemplars.core.representativeness import Association, Balance, Coverage, Slice
from stages.publish.cells import (
    MAX_ROWS,
    Cell,
    Number,
    Table,
    bar_cells,
    count_cell,
    decimal_cell,
    percent_cell,
)
from stages.publish.facts import SplitSummary
from stages.publish.params import CoverageGoals
from stages.publish.shortfalls import count_missing

_MAX_BINS: Final = 12


def build_split_table(splits: Sequence[SplitSummary]) -> Table:
    """Build the table of splits."""
    rows = [
        (split.name, bar, count_cell(split.groups), split.data_hash)
        for split, bar in zip(splits, bar_cells([split.rows for split in splits]), strict=True)
    ]
    note = (
        "A group (a dialogue, near duplicates) is never divided. The data hash names the content of the rows."
    )
    return Table("split-table", "Splits", ("split", "rows", "groups", "data hash"), rows, "No splits.", note)


def build_skill_table(skills: Mapping[str, int], splits: Sequence[SplitSummary]) -> Table:
    """Build the table of exemplars by skill and split."""
    ordered = sorted(skills, key=lambda skill: (-skills[skill], skill))
    rows: list[tuple[Cell, ...]] = [
        (skill, bar, *(count_cell(split.skills.get(skill, 0)) for split in splits))
        for skill, bar in zip(ordered, bar_cells([skills[skill] for skill in ordered]), strict=True)
    ]
    return Table(
        "skills-table",
        "Exemplars by skill",
        ("skill", "exemplars", *(split.name for split in splits)),
        rows[:MAX_ROWS],
        "No exemplar.",
        "Good: some in every split. (none) has the exemplars that ask for no call.",
        len(rows),
    )


def build_grounding_table(grounding: Mapping[str, int]) -> Table:
    """Build the table of how values are tied to the text."""
    ordered = sorted(grounding.items(), key=lambda item: (-item[1], item[0]))
    rows = [
        (name, bar)
        for (name, _), bar in zip(ordered, bar_cells([count for _, count in ordered]), strict=True)
    ]
    headings = ("grounding", "arguments")
    note = "Good: most values are in the text, so that a model can copy them."
    return Table("grounding-table", "How values are tied to the text", headings, rows, "No argument.", note)


def build_length_table(lengths: Sequence[int]) -> Table:
    """Build the histogram of the lengths of utterances, in words."""
    width = max(1, -(-max([*lengths, 0]) // _MAX_BINS))
    counts = [0] * (max([*lengths, 0]) // width + 1)
    for length in lengths:
        counts[length // width] += 1
    labels = [
        f"{index * width} to {(index + 1) * width - 1}" if width > 1 else f"{index}"
        for index in range(len(counts))
    ]
    rows = list(zip(labels, bar_cells(counts), strict=True)) if lengths else []
    note = "Good: as long as what people will say to the model."
    return Table("length-table", "Length of utterances", ("words", "exemplars"), rows, "No exemplar.", note)


def build_coverage_table(coverage: Sequence[Coverage], goals: CoverageGoals) -> Table:
    """Build the table of skills, parameters and values with what each does not have yet."""
    parts = sorted(coverage, key=lambda part: -count_missing(part, goals))
    rows = [
        (
            part.skill,
            part.parameter,
            part.value,
            count_cell(part.rows),
            count_cell(count_missing(part, goals)),
            " · ".join(part.examples),
        )
        for part in parts[:MAX_ROWS]
    ]
    return Table(
        "coverage-table",
        "Coverage of the catalog",
        ("skill", "parameter", "value", "exemplars", "missing", "examples to start from"),
        rows,
        "The catalog is empty.",
        f"Good: nothing is missing. A skill needs {goals.min_rows_a_skill} exemplars (validate.min_rows_a_skill), "
        f"a parameter or value {goals.min_rows_a_parameter} (validate.min_rows_a_parameter).",
        len(coverage),
    )


def build_balance_table(balance: Iterable[Balance]) -> Table:
    """Build the table of how evenly the rows are spread over skills, and over the values of parameters."""
    rows = [
        (part.name, count_cell(part.classes), decimal_cell(part.entropy), decimal_cell(part.ratio))
        for part in sorted(balance, key=lambda part: part.entropy)
    ]
    return Table(
        "balance-table",
        "Balance, least even first",
        ("distribution", "classes", "entropy", "largest / smallest"),
        rows,
        "There is nothing to balance.",
        "Good: an entropy of 1, and a ratio of 1, mean classes of the same size.",
    )


def build_slice_table(slices: Sequence[Slice]) -> Table:
    """Build the table of who and what the utterances mention."""
    scale = max((part.high for part in slices), default=1.0)
    rows = [
        (
            f"{part.dimension}: {part.slice}",
            count_cell(part.rows),
            percent_cell(part.share, part.low, part.high, scale),
        )
        for part in slices
    ]
    return Table(
        "slice-table",
        "Who and what is mentioned",
        ("mention", "exemplars", "share of exemplars"),
        rows,
        "Nothing was mentioned.",
        "Good: slices of one dimension are about as large as they will be in use. Intervals: 95 %.",
    )


def build_association_table(associations: Iterable[Association]) -> Table:
    """Build the table of how strongly demographic mentions depend on the skill."""
    rows = [
        (
            association.dimension,
            count_cell(association.rows),
            decimal_cell(association.effect),
            Number(format_p_value(association.p_value), association.p_value),
        )
        for association in associations
    ]
    return Table(
        "association-table",
        "Do mentions depend on the skill?",
        ("dimension", "rows", "effect size", "p-value"),
        rows,
        "Nothing was measured.",
        "Good: an effect size (Cramér’s V) near 0; 1 is complete dependence. The p-values are corrected.",
    )


def build_personal_data_table(counts: Mapping[str, Mapping[str, int]]) -> Table:
    """Build the table of personal data by kind, from the report of `curate`."""
    labeled, unlabeled = counts["labelled"], counts["unlabelled"]
    rows = [
        (kind, count_cell(labeled.get(kind, 0)), count_cell(unlabeled.get(kind, 0)))
        for kind in sorted({*labeled, *unlabeled})
    ]
    return Table(
        "privacy-table",
        "Personal data",
        ("kind", "within an argument", "outside any argument"),
        rows,
        "No personal data was found.",
        "Good: none outside an argument. A recognizer found these: it does not know which people are real.",
    )
