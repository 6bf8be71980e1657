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
from exemplars.core.conditions import HEADLINE, Condition
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.catalog import decode_catalog
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.models.render_manifest import RenderManifest
from exemplars.models.rows import TRAINING_SCHEMA, TrainingRow
from exemplars.models.turns import collect_turns

if TYPE_CHECKING:
    from stages.evaluate.task import Task

_COLUMNS: Final = ("condition", "system", "id", "utterance", "right", "predicted", "ended")
_INPUTS: Final = (
    layout.training("train"),
    layout.training("test"),
    layout.split("test"),
    layout.TRAINING_BASE,
    layout.CATALOG,
)
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
    condition: Condition
    report: Mapping[str, Any]
    """The figures under that condition."""
    answers: Mapping[str, Mapping[str, Answered]]
    """By system and id of the test row."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The parameters that `evaluate` ran with, as far as `dvc.lock` has them."""
        stage = self.revision.stages.get("evaluate")
        return {} if stage is None else stage.params.get("evaluate") or {}


def read_evaluated_revision(revision: Revision, condition: Condition = HEADLINE) -> EvaluatedRevision:
    """Read the report and the answers under a condition at a revision.

    Raises `UserError` if nothing was evaluated there, or if its answers are in neither cache nor remote.
    """
    report = read_evaluation(revision, _FIX, condition)
    if not is_available(revision, layout.PREDICTIONS):
        raise _build_problem(
            revision, layout.PREDICTIONS, "no predictions", "those of an evaluated run", _FIX
        )
    fetch_tables(revision, [layout.PREDICTIONS])
    answers: dict[str, dict[str, Answered]] = {}
    table = read_columns(revision, layout.PREDICTIONS, _COLUMNS, added=("condition",))
    for row in table.iter_rows():
        # Before there were conditions, prompts showed the right tools.
        if (row[0] or Condition.ORACLE) == condition:
            answers.setdefault(row[1], {})[row[2]] = Answered(*row[3:])
    if not answers:
        found, fix = f"no answers under {condition}", f"compare with --condition {Condition.ORACLE}"
        raise _build_problem(revision, layout.PREDICTIONS, found, "some", fix)
    return EvaluatedRevision(revision, condition, report, answers)


def read_task(side: EvaluatedRevision, ids: Collection[str]) -> Task:
    """Read the test turns with some ids, as written, sorted by id, and what answers to them are scored with.

    Raises `UserError` if a file of them is missing or damaged.
    """
    from stages.evaluate.task import Task, build_rows

    revision = side.revision
    fetch_tables(revision, _INPUTS)
    try:
        exemplars = read_table(revision.locate_output(layout.split("test")), EXEMPLAR_SCHEMA)
        catalog = decode_catalog(revision.locate_output(layout.CATALOG).read_bytes())
        skills = {skill.name: skill for skill in catalog}
        data = revision.locate_output(layout.TRAINING_BASE).read_bytes()
        manifest = msgspec.json.decode(data, type=RenderManifest)
        turns = sorted(collect_turns(exemplars_from_table(exemplars)), key=lambda turn: turn.id)
        turns = [turn for turn in turns if turn.id in ids]
        shown = _read_shown(side)
        tools = [[skills[name] for name in shown.get(turn.id, ()) if name in skills] for turn in turns]
        rendered = _read_rendered(revision, ids)
        questions = [turn.question for turn in turns]
        rows = build_rows(side.condition, turns, questions, rendered, tools, skills, manifest)
        services = read_columns(revision, layout.training("train"), ("services",))["services"]
        seen = frozenset(services.explode().drop_nulls())
        return Task(side.condition, rows, (), skills, (), seen, manifest.style)
    except (msgspec.MsgspecError, OSError) as error:
        found = str(error).splitlines()[0]
        raise _build_problem(revision, layout.split("test"), found, "rows of this version", _FIX) from None


def _read_shown(side: EvaluatedRevision) -> dict[str, Sequence[str]]:
    """Read the tools that prompts show under the condition, by the id of the row."""
    where = pl.col("condition") == str(side.condition)
    table = read_columns(side.revision, layout.PREDICTIONS, ("id", "shown"), where)
    return dict(table.unique("id").iter_rows())


def _read_rendered(revision: Revision, ids: Collection[str]) -> dict[str, TrainingRow]:
    """Read chat rows, by id, without their tokens."""
    columns = [name for name in TRAINING_SCHEMA.names if name != _TOKENS]
    where = pl.col("id").is_in(sorted(ids)) & ~pl.col("speech")
    rows = read_columns(revision, layout.training("test"), columns, where).to_dicts()
    return {row["id"]: msgspec.convert({**row, _TOKENS: ()}, TrainingRow) for row in rows}


def list_changed_inputs(old: Revision, new: Revision) -> Iterator[str]:
    """Yield the inputs of `evaluate` that differ between two revisions, other than the model."""
    for path in _INPUTS:
        before, after = (hash_table(revision, path) for revision in (old, new))
        if before and after and before != after:
            yield path.as_posix()


def _build_problem(revision: Revision, path: Path, found: str, expected: str, fix: str) -> UserError:
    place = str(path) if revision.commit is None else f"{path} at {revision.name}"
    return UserError([Diagnostic(path=place, code="not_compared", found=found, expected=expected, fix=fix)])
