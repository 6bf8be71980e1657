"""What the stage judges: the curated exemplars, what was lost on the way, and the splits."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from exemplars.core import layout
from exemplars.core.schemas import EXEMPLAR_SCHEMA, PAIR_SCHEMA, REJECTION_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.catalog import Skill, decode_catalog
from exemplars.dataset.row_tables import exemplars_from_table
from stages.validate.facts import (
    DataFacts,
    PairFacts,
    RowFacts,
    SkillFacts,
    SourceFacts,
    data_facts,
    pair_facts,
    row_facts,
    skill_facts,
    source_facts,
)
from stages.validate.params import ValidateParams
from stages.validate.representativeness import Representativeness

SPLITS = ("train", "validation", "test")


class Inputs(NamedTuple):
    """All that is judged together."""

    exemplars: pa.Table
    rejections: pa.Table
    """Of `compile` and `curate`."""
    skills: dict[str, Skill]
    pairs: pa.Table
    splits: dict[str, pa.Table]
    about: Representativeness
    personal: int
    """Personal data that no argument labels."""


class _Privacy(msgspec.Struct):
    unlabelled: dict[str, int]


class _CurateReport(msgspec.Struct):
    personal_data: _Privacy


def read_inputs() -> Inputs:
    """Read the files of the stages before. Raises `UserError` where a table is missing or damaged."""
    ledgers = (layout.ledger_path(layout.EXEMPLARS), layout.ledger_path(layout.CURATED))
    report = msgspec.json.decode(layout.report("curate").read_bytes(), type=_CurateReport)
    return Inputs(
        exemplars=read_table(layout.CURATED, EXEMPLAR_SCHEMA),
        rejections=pa.concat_tables([read_table(path, REJECTION_SCHEMA) for path in ledgers]),
        skills={skill.name: skill for skill in decode_catalog(layout.CATALOG.read_bytes())},
        pairs=read_table(layout.PAIRS, PAIR_SCHEMA),
        splits={name: read_table(layout.split(name), EXEMPLAR_SCHEMA) for name in SPLITS},
        about=msgspec.json.decode(layout.REPRESENTATIVENESS.read_bytes(), type=Representativeness),
        personal=sum(report.personal_data.unlabelled.values()),
    )


def facts_of(inputs: Inputs, params: ValidateParams) -> dict[str, tuple[type[Any], list[Any]]]:
    """For each suite, the type of its rows, and the rows."""
    rows = exemplars_from_table(inputs.exemplars)
    return {
        "exemplars": (RowFacts, list(row_facts(rows, inputs.skills))),
        "skills": (SkillFacts, skill_facts(inputs.exemplars, inputs.skills)),
        "sources": (SourceFacts, source_facts(inputs.exemplars, inputs.rejections)),
        "pairs": (PairFacts, pair_facts(inputs.pairs, inputs.splits)),
        "data": (DataFacts, data_facts(inputs.about, inputs.personal, len(rows), params)),
    }
