"""The facts that all documents state: gathered once, here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import pyarrow as pa

from exemplars.core.digests import hash_split
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.licenses import check_expressions, join_expressions
from exemplars.core.reports import count_values
from exemplars.core.representativeness import Association
from exemplars.models.base_models import Base, FolderBase, PackagedBase
from exemplars.models.run_manifest import Manifest
from stages.publish.flow import RejectionSummary, summarize_rejections
from stages.publish.inputs import Artifacts, ModelRun, PublishInputs
from stages.publish.licenses.clashes import (
    Clash,
    DeclaredLicense,
    describe_unaccepted_clashes,
    find_clashes,
)
from stages.publish.licenses.obligations import Obligation, list_obligations
from stages.publish.params import PublishParams, SourceKind, SourceStatement
from stages.publish.pipeline import HashedFile, StageRun, build_stage_runs
from stages.publish.synthetic import (
    ReviewSummary,
    SyntheticSource,
    summarize_review,
    summarize_synthetic,
)

METRICS: Final[dict[str, str]] = {
    "exact_match": "exact match",
    "skill_accuracy": "skill accuracy",
    "argument_f1": "argument F1",
    "hallucinated_functions": "hallucinated functions",
}
"""The metrics of models that the documents state, with their names for people."""


class SourceSummary(msgspec.Struct, frozen=True):
    """A source of the dataset."""

    name: str
    folder: HashedFile | None
    """`None` if nothing is at its path any more."""
    license: str | None
    """SPDX expression, from its rows; `None` if no exemplar comes from it."""
    records: int
    rows: dict[str, int]
    """Its exemplars, by split."""
    statement: SourceStatement | None
    is_generated: bool = False
    """Whether `exemplars generate` filled it."""

    @property
    def kind(self) -> SourceKind | None:
        """The kind that the publisher states; `None` if there is no statement and it is not known."""
        if self.statement is not None:
            return self.statement.kind
        return SourceKind.SYNTHETIC if self.is_generated else None

    @property
    def exemplars(self) -> int:
        """The number of its exemplars."""
        return sum(self.rows.values())


class SplitSummary(msgspec.Struct, frozen=True):
    """A split of the dataset."""

    name: str
    file: HashedFile
    groups: int
    data_hash: str
    declared: tuple[DeclaredLicense, ...]
    """Its rows by source and license."""
    skills: dict[str, int]
    """Its rows by skill."""

    @property
    def rows(self) -> int:
        """The number of its rows."""
        return sum(declared.rows for declared in self.declared)


class ModelSummary(msgspec.Struct, frozen=True):
    """A run, from its manifest."""

    manifest: Manifest
    trained_rows: int | None
    """The number of rows that it was trained on; `None` if the list of rows is missing."""
    rows_in_train: int | None
    """The number of these rows that are in the current train split."""
    is_evaluated: bool
    systems: dict[str, dict[str, Any]]
    """The metrics of `evaluate` by system, of those that are this run alone; empty if it was not evaluated."""


class ReleaseFindings(msgspec.Struct, frozen=True):
    """What `curate`, `split` and `validate` found about bias, privacy and quality."""

    labeled_personal_data: dict[str, int]
    """Personal data within an argument, by kind."""
    unlabeled_personal_data: dict[str, int]
    mentions: dict[str, int]
    """Rows by demographic slice: `gender: female`."""
    associations: tuple[Association, ...]
    quality_flags: dict[str, int]
    conflicts: int
    to_review: dict[str, int]
    near_duplicate_rows: int
    expectations: int
    failed_expectations: int
    leaked: int


class ReleaseFacts(msgspec.Struct, frozen=True):
    """Everything that the documents state."""

    params: PublishParams
    data_hash: str
    """Of the rows of all splits together."""
    records: int
    rejections: tuple[RejectionSummary, ...]
    sources: tuple[SourceSummary, ...]
    splits: tuple[SplitSummary, ...]
    skills: dict[str, int]
    """Exemplars by skill; those without a skill are `(none)`."""
    grounding: dict[str, int]
    """Arguments by how they are tied to the text."""
    findings: ReleaseFindings
    models: tuple[ModelSummary, ...]
    systems: dict[str, dict[str, Any]]
    """The metrics of `evaluate` by system, in which the whole catalog can be called; empty without an evaluation."""
    clashes: tuple[Clash, ...]
    """All of them accepted, with the reason."""
    obligations: tuple[Obligation, ...]
    pipeline: tuple[StageRun, ...]
    synthetic: tuple[SyntheticSource, ...] = ()
    """The sources that models wrote."""
    review: ReviewSummary = ReviewSummary()

    @property
    def exemplars(self) -> int:
        """The number of rows in all splits: the records that were not rejected."""
        return sum(split.rows for split in self.splits)

    @property
    def rejected(self) -> int:
        """The number of records that no split has."""
        return sum(rejection.records for rejection in self.rejections)

    @property
    def licenses(self) -> tuple[str, ...]:
        """The license expressions of all rows, sorted."""
        return tuple(sorted({declared.expression for split in self.splits for declared in split.declared}))


def gather_facts(params: PublishParams, inputs: PublishInputs, artifacts: Artifacts) -> ReleaseFacts:
    """Gather the facts.

    Raises `UserError` if a license is not an SPDX expression, if licenses clash in a split and `params`
    does not accept it, or if `params` names an unknown source.
    """
    splits = tuple(
        _summarize_split(name, inputs.manifest["splits"][name], file, table)
        for name, (file, table) in artifacts.splits.items()
    )
    _check_source_names(params, artifacts)
    check_expressions(_collect_expressions(params, splits))
    clashes = find_clashes({split.name: split.declared for split in splits}, params.accepted_license_clashes)
    if problems := describe_unaccepted_clashes(clashes):
        raise UserError(problems)
    rows = pa.concat_tables(table for _, table in artifacts.splits.values())
    sources = tuple(
        _summarize_source(name, records, params, artifacts, splits, name in inputs.answer_models)
        for name, records in inputs.reports["compile"]["records_by_source"].items()
    )
    synthetic = [source.name for source in sources if source.kind is SourceKind.SYNTHETIC]
    curate = inputs.reports["curate"]
    return ReleaseFacts(
        params=params,
        data_hash=hash_split(rows.column("digest").to_pylist()),
        records=inputs.reports["compile"]["records"],
        rejections=tuple(summarize_rejections(inputs.rejections)),
        sources=sources,
        splits=splits,
        skills=count_values(rows.column("skill")),
        grounding=inputs.reports["compile"]["grounding"],
        findings=_gather_findings(inputs),
        models=tuple(_summarize_model(run, artifacts, inputs.evaluation) for run in artifacts.runs),
        systems={} if inputs.evaluation is None else inputs.evaluation["systems"],
        clashes=clashes,
        obligations=list_obligations(declared for split in splits for declared in split.declared),
        pipeline=build_stage_runs(artifacts.stages, artifacts.files),
        synthetic=summarize_synthetic(rows, synthetic, inputs.answer_models, curate),
        review=summarize_review(curate),
    )


def name_base(base: Base) -> str:
    """Name a base model: by its file, its folder, or its id on the hub."""
    if isinstance(base, PackagedBase):
        return base.file.rpartition(".")[0]
    return base.path if isinstance(base, FolderBase) else base.id


def _summarize_split(name: str, split: Mapping[str, Any], file: HashedFile, table: pa.Table) -> SplitSummary:
    """Summarize a split. split: its entry in the manifest. table: its rows."""
    skills = count_values(table.column("skill"))
    return SplitSummary(name, file, split["groups"], split["data_hash"], _count_declared(table), skills)


def _check_source_names(params: PublishParams, artifacts: Artifacts) -> None:
    known = ", ".join(sorted(artifacts.source_paths))
    problems = [
        Diagnostic(
            path="params.yaml",
            code="unknown_source",
            summary=f"publish.sources describes {name!r}, but the sources are {known}",
            found=repr(name),
            expected=f"one of {known}",
            fix="correct the name, or remove it",
        )
        for name in params.sources
        if name not in artifacts.source_paths
    ]
    if problems:
        raise UserError(problems)


def _collect_expressions(params: PublishParams, splits: tuple[SplitSummary, ...]) -> dict[str, str]:
    """Collect all license expressions by the key of `params.yaml` that each comes from."""
    expressions = {
        f"ingest.sources.{declared.source}.license": declared.expression
        for split in splits
        for declared in split.declared
    }
    for clash_index, clash in enumerate(params.accepted_license_clashes):
        for index, expression in enumerate(clash.licenses):
            key = f"publish.accepted_license_clashes[{clash_index}].licenses[{index}]"
            expressions[key] = expression
    return expressions


def _count_declared(table: pa.Table) -> tuple[DeclaredLicense, ...]:
    """Count the rows of a table by source and license."""
    counts = Counter(
        zip(table.column("source").to_pylist(), table.column("license").to_pylist(), strict=True)
    )
    return tuple(
        DeclaredLicense(source, expression, rows) for (source, expression), rows in sorted(counts.items())
    )


def _summarize_source(
    name: str,
    records: int,
    params: PublishParams,
    artifacts: Artifacts,
    splits: tuple[SplitSummary, ...],
    is_generated: bool,
) -> SourceSummary:
    declared = [row for split in splits for row in split.declared if row.source == name]
    expressions = sorted({row.expression for row in declared})
    return SourceSummary(
        name=name,
        folder=artifacts.files.get(artifacts.source_paths.get(name, "")),
        license=join_expressions(expressions) if len(expressions) > 1 else "".join(expressions) or None,
        records=records,
        rows={split.name: sum(row.rows for row in split.declared if row.source == name) for split in splits},
        statement=params.sources.get(name),
        is_generated=is_generated,
    )


def _gather_findings(inputs: PublishInputs) -> ReleaseFindings:
    curate, validate = inputs.reports["curate"], inputs.reports["validate"]
    return ReleaseFindings(
        labeled_personal_data=curate["personal_data"]["labelled"],
        unlabeled_personal_data=curate["personal_data"]["unlabelled"],
        mentions=curate["mentions"],
        associations=tuple(inputs.representativeness.associations),
        quality_flags=curate["quality_flags"],
        conflicts=curate["conflicts"],
        to_review=curate["review"],
        near_duplicate_rows=curate["duplicates"]["clustered_rows"],
        expectations=validate["expectations"],
        failed_expectations=validate["failed_critical"] + validate["failed_warning"],
        leaked=inputs.reports["split"]["leaked"],
    )


def _summarize_model(run: ModelRun, artifacts: Artifacts, evaluation: dict[str, Any] | None) -> ModelSummary:
    runs = {} if evaluation is None else {found["run"]: name for name, found in evaluation["runs"].items()}
    recipe = runs.get(run.manifest.run)
    own = (recipe, f"{recipe}_constrained")
    systems = {} if evaluation is None else evaluation["systems"]
    _, train = artifacts.splits["train"]
    in_train = None if run.digests is None else run.digests & set(train.column("digest").to_pylist())
    return ModelSummary(
        manifest=run.manifest,
        trained_rows=None if run.digests is None else len(run.digests),
        rows_in_train=None if in_train is None else len(in_train),
        is_evaluated=recipe is not None,
        systems={name: figures for name, figures in systems.items() if name in own},
    )
