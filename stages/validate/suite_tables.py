"""The table that each expectation suite checks: rows, skills, sources, pairs, and figures of the dataset."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import pandas as pd
import pyarrow as pa

from exemplars.core.records import OUT_OF_SCOPE, Reason
from exemplars.core.reports import NO_SKILL
from exemplars.core.representativeness import Representativeness
from exemplars.dataset.catalog import Skill
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.dataset.texts import make_similarity_text
from stages.validate.inputs import ValidateInputs
from stages.validate.params import ValidateParams
from stages.validate.row_checks import RowChecks, check_rows

_NO_LOSS: Final = OUT_OF_SCOPE | {Reason.DUPLICATE_EXEMPLAR, Reason.NEAR_DUPLICATE, Reason.ERASED}
"""Reasons that are no fault of the data: nothing new, already in a different row, or erased on request."""
SIGNIFICANCE: Final = 0.05
"""An association with at least this p-value may be chance."""


class SkillCounts(NamedTuple):
    """A skill of the catalog, or of an exemplar."""

    skill: str
    rows: int
    share: float
    """Of all exemplars."""


class SourceCounts(NamedTuple):
    """What became of the records of a source."""

    source: str
    exemplars: int
    rejections: int
    """Of records in scope."""
    rejection_rate: float


class PairCheck(NamedTuple):
    """Two texts that are nearly the same."""

    pair: str
    similarity: float
    crosses: bool
    """The texts are in different splits."""


class FigureCheck(NamedTuple):
    """A figure of the whole dataset, and whether it is within its bound."""

    figure: str
    value: float
    ok: bool


def build_suite_tables(inputs: ValidateInputs, params: ValidateParams) -> dict[str, pd.DataFrame]:
    """Build the table of each suite, by the name of the suite."""
    rows = exemplars_from_table(inputs.exemplars)
    figures = check_figures(inputs.representativeness, inputs.unlabeled_personal, len(rows), params)
    suites: dict[str, tuple[Any, list[Any]]] = {
        "exemplars": (RowChecks, list(check_rows(rows, inputs.skills))),
        "skills": (SkillCounts, count_skills(inputs.exemplars, inputs.skills)),
        "sources": (SourceCounts, count_sources(inputs.exemplars, inputs.rejections)),
        "pairs": (PairCheck, check_pairs(inputs.pairs, inputs.splits)),
        "data": (FigureCheck, figures),
    }
    return {name: pd.DataFrame(rows, columns=type_._fields) for name, (type_, rows) in suites.items()}


def count_skills(exemplars: pa.Table, skills: Mapping[str, Skill]) -> list[SkillCounts]:
    """Count the exemplars of each skill that the catalog or an exemplar has, by name."""
    counts = Counter(name or NO_SKILL for name in exemplars.column("skill").to_pylist())
    total = max(exemplars.num_rows, 1)
    return [SkillCounts(name, counts[name], counts[name] / total) for name in sorted({*counts, *skills})]


def count_sources(exemplars: pa.Table, rejections: pa.Table) -> list[SourceCounts]:
    """Count the exemplars and the rejected records of each source, by name."""
    kept = Counter(exemplars.column("source").to_pylist())
    columns = (rejections.column(name).to_pylist() for name in ("source", "reason"))
    lost = Counter(source for source, reason in zip(*columns, strict=True) if reason not in _NO_LOSS)
    return [
        SourceCounts(name, kept[name], lost[name], lost[name] / max(kept[name] + lost[name], 1))
        for name in sorted({*kept, *lost})
    ]


def check_pairs(pairs: pa.Table, splits: Mapping[str, pa.Table]) -> list[PairCheck]:
    """Check whether each verified pair of near duplicates crosses splits.

    splits: the rows of each split, by its name.
    """
    text_splits: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name, table in splits.items():
        for column in ("utterance", "exemplar"):
            for text in table.column(column).to_pylist():
                text_splits[column, make_similarity_text(text)].add(name)
    checks = []
    columns = (pairs.column(name).to_pylist() for name in ("column", "first", "second", "similarity"))
    for column, first, second, similarity in zip(*columns, strict=True):
        crosses = any(
            split != other
            for split in text_splits.get((column, first), ())
            for other in text_splits.get((column, second), ())
        )
        checks.append(PairCheck(f"{column}: {first} | {second}", similarity, crosses))
    return checks


def check_figures(
    representativeness: Representativeness, unlabeled_personal: int, rows: int, params: ValidateParams
) -> list[FigureCheck]:
    """Check the figures of coverage, balance, association and privacy against their bounds.

    unlabeled_personal: the number of pieces of personal data that no argument labels. rows: the number of
    exemplars.
    """
    parts = [coverage for coverage in representativeness.coverage if not coverage.value]
    thin = sum(coverage.rows < params.min_rows_a_parameter for coverage in parts) / max(len(parts), 1)
    entropies = {balance.name: balance.entropy for balance in representativeness.balance}
    entropy = entropies.get("skills", 0.0)
    personal = unlabeled_personal / max(rows, 1)
    return [
        FigureCheck("share of thin skills and parameters", thin, thin <= params.max_thin_share),
        FigureCheck("entropy of skills", entropy, entropy >= params.min_skill_entropy),
        FigureCheck(
            "unlabeled personal data per row", personal, personal <= params.max_unlabelled_personal_share
        ),
        *(
            FigureCheck(
                f"association of {association.dimension} with skills",
                association.effect,
                association.p_value >= SIGNIFICANCE or association.effect <= params.max_association,
            )
            for association in representativeness.associations
        ),
    ]
