"""The facts that all documents tell: gathered here, once, and nowhere else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
import pyarrow as pa

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.reports import count_values
from exemplars.models.run_manifest import Manifest
from stages.publish.flow import losses_of
from stages.publish.inputs import Inputs, Material
from stages.publish.licenses.clashes import Clash, Declared, clash_problems, clashes_of
from stages.publish.licenses.duties import Duty, duties_of
from stages.publish.licenses.expressions import check_expressions
from stages.publish.params import PublishParams, SourceStatement
from stages.publish.pipeline import FileFacts, StageFacts, stages_of


class SourceFacts(msgspec.Struct, frozen=True):
    """One source of the data set."""

    name: str
    folder: FileFacts | None
    """Null where nothing lies at its path any more."""
    licence: str | None
    """SPDX expression, from its rows; null: no exemplar is of it."""
    records: int
    rows: dict[str, int]
    """Its exemplars, by split."""
    statement: SourceStatement | None

    @property
    def exemplars(self) -> int:
        """How many exemplars are of it."""
        return sum(self.rows.values())


class SplitFacts(msgspec.Struct, frozen=True):
    """One split."""

    name: str
    file: FileFacts
    groups: int
    data_hash: str
    declared: tuple[Declared, ...]
    """Its rows by source and licence."""

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(one.rows for one in self.declared)


class LossFacts(msgspec.Struct, frozen=True):
    """Records that are no exemplars, of one stage and for one reason."""

    stage: str
    reason: str
    records: int
    meaning: str


class ModelFacts(msgspec.Struct, frozen=True):
    """One run, from its manifest."""

    manifest: Manifest
    trained_rows: int | None
    """How many rows it was trained on; null: its list of rows is not here."""
    rows_in_train: int | None
    """How many of them are in the train split as it is now."""
    systems: dict[str, dict[str, Any]]
    """The metrics of `evaluate`, by system; empty: another run was judged, or none."""


class Findings(msgspec.Struct, frozen=True):
    """What was found about bias, privacy and quality."""

    labelled_personal: dict[str, int]
    """Personal data within an argument, by kind."""
    unlabelled_personal: dict[str, int]
    mentions: dict[str, int]
    """Rows by demographic slice: `gender: female`."""
    associations: tuple[dict[str, Any], ...]
    """Whether mentions go along with skills: `dimension`, `rows`, `effect` (Cramér's V), `p_value`."""
    quality_flags: dict[str, int]
    conflicts: int
    to_review: dict[str, int]
    near_duplicate_rows: int
    expectations: int
    failed_expectations: int
    leaked: int


class Facts(msgspec.Struct, frozen=True):
    """Everything that documents tell."""

    about: PublishParams
    records: int
    losses: tuple[LossFacts, ...]
    sources: tuple[SourceFacts, ...]
    splits: tuple[SplitFacts, ...]
    skills: dict[str, int]
    """Exemplars by skill; those of none are `(none)`."""
    grounding: dict[str, int]
    """Arguments by how they are tied to the text."""
    findings: Findings
    models: tuple[ModelFacts, ...]
    clashes: tuple[Clash, ...]
    """All of them accepted, with the reason."""
    duties: tuple[Duty, ...]
    pipeline: tuple[StageFacts, ...]

    @property
    def exemplars(self) -> int:
        """How many rows the splits have together: the records that were not lost."""
        return sum(one.rows for one in self.splits)

    @property
    def lost(self) -> int:
        """How many records are no exemplars."""
        return sum(one.records for one in self.losses)

    @property
    def licences(self) -> tuple[str, ...]:
        """The expressions of all rows, sorted."""
        return tuple(sorted({one.expression for split in self.splits for one in split.declared}))


def facts_of(params: PublishParams, inputs: Inputs, material: Material) -> Facts:
    """Gather the facts.

    Raises `UserError` where a licence is no SPDX expression, where licences clash in a split and
    `params` does not accept it, or where `params` speaks of a source that there is none of.
    """
    splits = tuple(_split(name, inputs.manifest["splits"][name], material) for name in material.splits)
    declared = {split.name: split.declared for split in splits}
    _check_names(params, material)
    check_expressions(_expressions(params, declared))
    clashes = clashes_of(declared, params.accepted_licence_clashes)
    if problems := clash_problems(clashes):
        raise UserError(problems)
    return Facts(
        about=params,
        records=inputs.reports["compile"]["records"],
        losses=tuple(
            LossFacts(one.stage, one.reason, one.records, one.meaning) for one in losses_of(inputs.rejections)
        ),
        sources=_sources(params, inputs, material, splits),
        splits=splits,
        skills=count_values(pa.concat_tables(table for _, table in material.splits.values()).column("skill")),
        grounding=inputs.reports["compile"]["grounding"],
        findings=_findings(inputs),
        models=tuple(_model(one, material, inputs.evaluation) for one in material.runs),
        clashes=clashes,
        duties=duties_of([one for rows in declared.values() for one in rows]),
        pipeline=stages_of(material.steps, material.files),
    )


def _check_names(params: PublishParams, material: Material) -> None:
    known = set(material.source_paths)
    problems = [
        Diagnostic(
            path="params.yaml",
            code="unknown_source",
            found=f"publish.sources speaks of {name!r}",
            expected=f"one of {', '.join(sorted(known))}",
            fix="correct the name, or remove it",
        )
        for name in params.sources
        if name not in known
    ]
    if problems:
        raise UserError(problems)


def _expressions(params: PublishParams, declared: Mapping[str, tuple[Declared, ...]]) -> dict[str, str]:
    """Every expression, by the key of `params.yaml` that it comes from."""
    of_sources = {
        f"ingest.sources.{one.source}.license": one.expression for rows in declared.values() for one in rows
    }
    accepted = {
        f"publish.accepted_licence_clashes[{place}].licences[{number}]": name
        for place, clash in enumerate(params.accepted_licence_clashes)
        for number, name in enumerate(clash.licences)
    }
    return {**of_sources, **accepted}


def _split(name: str, manifest: Mapping[str, Any], material: Material) -> SplitFacts:
    file, table = material.splits[name]
    return SplitFacts(name, file, manifest["groups"], manifest["data_hash"], _declared(table))


def _declared(table: pa.Table) -> tuple[Declared, ...]:
    counted = Counter(
        zip(table.column("source").to_pylist(), table.column("license").to_pylist(), strict=True)
    )
    return tuple(Declared(source, licence, rows) for (source, licence), rows in sorted(counted.items()))


def _sources(
    params: PublishParams, inputs: Inputs, material: Material, splits: tuple[SplitFacts, ...]
) -> tuple[SourceFacts, ...]:
    kept = _declared(inputs.exemplars)
    return tuple(
        SourceFacts(
            name=name,
            folder=material.files.get(material.source_paths.get(name, "")),
            licence=" AND ".join(one.expression for one in kept if one.source == name) or None,
            records=records,
            rows={
                split.name: sum(one.rows for one in split.declared if one.source == name) for split in splits
            },
            statement=params.sources.get(name),
        )
        for name, records in inputs.reports["compile"]["records_by_source"].items()
    )


def _findings(inputs: Inputs) -> Findings:
    curate, validate = inputs.reports["curate"], inputs.reports["validate"]
    return Findings(
        labelled_personal=curate["personal_data"]["labelled"],
        unlabelled_personal=curate["personal_data"]["unlabelled"],
        mentions=curate["mentions"],
        associations=tuple(inputs.about["associations"]),
        quality_flags=curate["quality_flags"],
        conflicts=curate["conflicts"],
        to_review=curate["review"],
        near_duplicate_rows=curate["duplicates"]["clustered_rows"],
        expectations=validate["expectations"],
        failed_expectations=validate["failed_critical"] + validate["failed_warning"],
        leaked=inputs.reports["split"]["leaked"],
    )


def _model(run: tuple[Manifest, frozenset[str] | None], material: Material, evaluation: Any) -> ModelFacts:
    manifest, rows = run
    judged = evaluation is not None and evaluation["run"] == manifest.run
    _, train = material.splits["train"]
    return ModelFacts(
        manifest=manifest,
        trained_rows=None if rows is None else len(rows),
        rows_in_train=None if rows is None else len(rows & set(train.column("digest").to_pylist())),
        systems=evaluation["systems"] if judged else {},
    )
