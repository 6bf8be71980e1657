"""What `evaluate` left at a revision: its report, all answers, and the test rows that they are scored against."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import polars as pl

from exemplars.audit.lineage.metrics import read_evaluation
from exemplars.audit.lineage.tables import fetch_tables, hash_table, is_available, read_columns
from exemplars.audit.revisions import Revision
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.dataset.catalog import Skill, decode_catalog
from exemplars.models.render_manifest import RenderManifest
from exemplars.models.rows import TRAINING_SCHEMA, TrainingRow

if TYPE_CHECKING:
    from stages.evaluate.scoring import Score

_COLUMNS: Final = ("id", "system", "utterance", "right", "predicted", "ended")
_FIX: Final = "run `dvc repro evaluate`, or name another revision"
_TOKENS: Final = "input_ids"
"""The column of chat rows that takes most of the space, and that nothing here needs."""


class Answered(NamedTuple):
    """The answer of a system to a test row."""

    utterance: str
    right: str
    """The right answer, as the prompt asks for it."""
    predicted: str
    ended: bool


class EvaluatedRevision(NamedTuple):
    """The evaluation at a revision."""

    revision: Revision
    report: Mapping[str, Any]
    answers: Mapping[str, Mapping[str, Answered]]
    """By system and id of the test row."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The parameters that `evaluate` ran with, as far as `dvc.lock` has them."""
        stage = self.revision.stages.get("evaluate")
        return {} if stage is None else stage.params.get("evaluate") or {}


class Exam(NamedTuple):
    """Test rows, and what answers to them are scored with."""

    rows: Sequence[TrainingRow]
    skills: Mapping[str, Skill]
    manifest: RenderManifest
    seen_services: frozenset[str]
    """The services of the train rows."""

    def score(self, answers: Mapping[str, Answered]) -> list[Score]:
        """Score the answers to all rows. answers: by the id of the row."""
        from stages.evaluate.question import list_tool_names
        from stages.evaluate.scoring import build_expected_answer, score_prediction

        return [
            score_prediction(
                answers[row.id].predicted,
                answers[row.id].ended,
                build_expected_answer(row, [self.skills[name] for name in list_tool_names(row)]),
                self.skills,
                self.manifest.call_format,
            )
            for row in self.rows
        ]


def read_evaluated_revision(revision: Revision) -> EvaluatedRevision:
    """Read the report and the answers at a revision.

    Raises `UserError` if nothing was evaluated there, or if its answers are in neither cache nor remote.
    """
    report = read_evaluation(revision, _FIX)
    if not is_available(revision, layout.PREDICTIONS):
        raise _build_problem(
            revision, layout.PREDICTIONS, "no predictions", "those of an evaluated run", _FIX
        )
    fetch_tables(revision, [layout.PREDICTIONS])
    answers: dict[str, dict[str, Answered]] = {}
    for row in read_columns(revision, layout.PREDICTIONS, _COLUMNS).iter_rows():
        answers.setdefault(row[1], {})[row[0]] = Answered(*row[2:])
    return EvaluatedRevision(revision, report, answers)


def read_exam(revision: Revision, ids: Collection[str]) -> Exam:
    """Read the test rows with some ids, as written, sorted by id, and what they are scored with.

    Raises `UserError` if a file of them is missing or damaged.
    """
    train, test = layout.training("train"), layout.training("test")
    fetch_tables(revision, [train, test, layout.CATALOG, layout.TRAINING_BASE])
    columns = [name for name in TRAINING_SCHEMA.names if name != _TOKENS]
    where = pl.col("id").is_in(sorted(ids)) & ~pl.col("speech")
    try:
        rows = [
            msgspec.convert({**row, _TOKENS: ()}, TrainingRow)
            for row in read_columns(revision, test, columns, where).sort("id").to_dicts()
        ]
        services = read_columns(revision, train, ("services",))["services"].explode().drop_nulls()
        catalog = revision.locate_output(layout.CATALOG).read_bytes()
        manifest = revision.locate_output(layout.TRAINING_BASE).read_bytes()
        return Exam(
            rows,
            {skill.name: skill for skill in decode_catalog(catalog)},
            msgspec.json.decode(manifest, type=RenderManifest),
            frozenset(services),
        )
    except (msgspec.MsgspecError, OSError) as error:
        found = str(error).splitlines()[0]
        raise _build_problem(revision, test, found, "chat rows of this version", _FIX) from None


def list_changed_inputs(old: Revision, new: Revision) -> Iterator[str]:
    """Yield the inputs of `evaluate` that differ between two revisions, other than the model."""
    for path in (layout.training("train"), layout.training("test"), layout.TRAINING_BASE, layout.CATALOG):
        before, after = (hash_table(revision, path) for revision in (old, new))
        if before and after and before != after:
            yield path.as_posix()


def _build_problem(revision: Revision, path: Path, found: str, expected: str, fix: str) -> UserError:
    place = str(path) if revision.commit is None else f"{path} at {revision.name}"
    return UserError([Diagnostic(path=place, code="not_compared", found=found, expected=expected, fix=fix)])
