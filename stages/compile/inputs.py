"""The inputs of the stage: records, catalogs and recognizers of its sources."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core import layout
from exemplars.core.code_version import check_dependency
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.params import composes_values, requires_review
from exemplars.core.reviews import Resolution, RowContent, read_reviews, resolve_decisions
from exemplars.core.schemas import RECORD_SCHEMA, REJECTION_SCHEMA
from exemplars.core.tables import count_rows
from exemplars.dataset.catalog import Skill, read_catalog
from exemplars.dataset.catalog_merge import merge_catalogs
from exemplars.dataset.recognizers import BUILT_IN, Recognizers, merge_recognizers, read_recognizers
from stages.compile.exemplars import SourceRules
from stages.compile.params import CompileParams, OnSameSkill

_RECORD_FILES: Final = ("parquet", "rejections.parquet", "catalog.json", "recognizers.json")
"""What `ingest` writes for a source, after the source's name and a dot."""


class CompileInputs(NamedTuple):
    """Everything that is compiled together."""

    paths: tuple[Path, ...]
    """The records of each source, in the order of their ids."""
    ledgers: tuple[Path, ...]
    """The rejections of each source's reader, in the order of `paths`; they stay in the ledger."""
    records: dict[str, int]
    """The number of records of each source, including rejected ones."""
    skills: tuple[Skill, ...]
    recognizers: Recognizers
    rules: dict[str, SourceRules]
    """What differs between the sources, by name."""
    decisions: Mapping[RowContent, Resolution] = {}
    """The decisions of reviewers that count."""
    candidates: frozenset[str] = frozenset()
    """The sources whose rows count only if a person has approved them."""


def read_inputs(params: CompileParams, ingested: Mapping[str, Mapping[str, Any]]) -> CompileInputs:
    """Read the inputs of the sources that `params` names, or of all sources.

    ingested: the parameters of all sources, by name. What other sources left in the folder of records is removed first.
    Raises `UserError` with every source that was not ingested, every skill that two sources define differently, every
    recognizer that is not declared, or every broken line of the decisions.
    """
    # In the order of the ids, which begin with the names, so that the merged rows need no sorting.
    sources = sorted(set(params.sources or ingested), key=lambda name: f"{name}:")
    check_dependency("compile", params.recognizers)
    remove_leftovers({*ingested, *params.sources})
    missing = [name for name in sources if not layout.records(name).exists()]
    if missing or not sources:
        raise UserError([_not_ingested(name) for name in missing] or [_no_source()])
    catalogs = {name: read_catalog(layout.source_catalog(name)) for name in sources}
    recognizers = merge_recognizers(
        [
            read_recognizers(layout.find_schema(params.recognizers)),
            *(read_recognizers(layout.source_recognizers(name)) for name in sources),
        ]
    )
    merged = merge_catalogs(catalogs, unite=params.same_skill is OnSameSkill.UNION)
    skills = tuple(msgspec.structs.replace(skill, place="", inferred=False) for skill in merged)
    _check_recognizers(skills, recognizers)
    records = {
        name: count_rows(layout.records(name), RECORD_SCHEMA)
        + count_rows(layout.record_rejections(name), REJECTION_SCHEMA)
        for name in sources
    }
    composing = {name for name in sources if composes_values(ingested.get(name, {}))}
    return CompileInputs(
        tuple(map(layout.records, sources)),
        tuple(map(layout.record_rejections, sources)),
        records,
        skills,
        recognizers,
        build_rules(composing, catalogs),
        resolve_decisions(read_reviews()),
        frozenset(name for name in sources if requires_review(ingested.get(name, {}))),
    )


def build_rules(
    composing: Collection[str], catalogs: Mapping[str, Sequence[Skill]]
) -> dict[str, SourceRules]:
    """Build the rules of all sources.

    composing: the sources with `ungrounded: compose`. catalogs: the skills of each source, by its name.
    """
    return {name: SourceRules(name in composing, _find_adopted(name, catalogs)) for name in catalogs}


def _find_adopted(source: str, catalogs: Mapping[str, Sequence[Skill]]) -> frozenset[str]:
    """Find the skills of a source that only its calls show, and that other sources define."""
    defined = {skill.name for skills in catalogs.values() for skill in skills if not skill.inferred}
    return frozenset(skill.name for skill in catalogs[source] if skill.inferred and skill.name in defined)


def remove_leftovers(sources: Collection[str]) -> None:
    """Remove the records, ledgers, catalogs and recognizers of sources that `params.yaml` no longer names.

    DVC depends on the folder as a whole, since it cannot depend on the files of a list of names: what an earlier
    source left would be a part of its hash here, and missing in a fresh clone.
    """
    for path in layout.RECORDS.glob("*"):
        name, _, ending = path.name.partition(".")
        if name not in sources and ending in _RECORD_FILES and not path.is_dir():
            path.unlink()


def _check_recognizers(skills: tuple[Skill, ...], recognizers: Recognizers) -> None:
    known = {*BUILT_IN, *recognizers.recognizers}
    unknown = [
        Diagnostic(
            path="catalog",
            code="unknown_recognizer",
            found=f"recognizer {name!r} of parameter {skill.name}.{place}",
            expected=f"one of {', '.join(sorted(known))}",
            fix="correct the name, or add the recognizer to the file that compile.recognizers names",
        )
        for skill in skills
        for place, name in skill.list_recognizers()
        if name not in known
    ]
    if unknown:
        raise UserError(unknown)


def _not_ingested(name: str) -> Diagnostic:
    return Diagnostic(
        path="params.yaml",
        code="unknown_source",
        found=f"source {name!r}",
        expected="a source of ingest.sources",
        summary=f"compile.sources names {name!r}, which has no records",
        fix=f"add ingest.sources.{name}, or remove {name!r} from compile.sources, then run `dvc repro`",
    )


def _no_source() -> Diagnostic:
    return Diagnostic(
        path="params.yaml",
        code="no_source",
        found="no source",
        expected="at least one",
        summary="ingest.sources is empty",
        fix="name a source",
    )
