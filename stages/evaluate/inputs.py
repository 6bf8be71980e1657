"""What evaluation reads: test rows with their nearest train rows, and the catalog."""

from __future__ import annotations

from collections.abc import Sequence

from exemplars.core import layout
from exemplars.core.digests import hash_to_fraction
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ids import SplitName
from exemplars.core.tables import read_table, rows_from_table
from exemplars.dataset.catalog import Skill, read_catalog
from exemplars.dataset.embeddings import embed_texts
from exemplars.models.render_manifest import RenderManifest
from exemplars.models.rows import TRAINING_SCHEMA, TrainingRow, View
from stages.evaluate.knn import find_nearest_rows
from stages.evaluate.params import EvaluateParams
from stages.evaluate.question import Question, list_tool_names, make_sampling_key, sample_test_rows


def read_rows(split: SplitName) -> list[TrainingRow]:
    """Read the chat rows of a split. Raises `UserError` if their table is missing or unreadable."""
    return rows_from_table(read_table(layout.training(split), TRAINING_SCHEMA), TrainingRow)


def list_digests(rows: Sequence[TrainingRow]) -> list[str]:
    """List the digests of the exemplars that chat rows were made from."""
    return [digest for row in rows for digest in row.digests]


def read_skills() -> tuple[Skill, ...]:
    """Read the catalog. Raises `OSError` if it is missing."""
    return read_catalog(layout.CATALOG)


def build_question(
    train: Sequence[TrainingRow],
    test: Sequence[TrainingRow],
    skills: Sequence[Skill],
    rendered: RenderManifest,
    params: EvaluateParams,
) -> Question:
    """Sample test rows, and find their nearest train rows.

    Raises `UserError` if `train` or `test` has no row of the view `call`.
    """
    calls = [row for row in train if row.view == View.CALL]
    order = {key: hash_to_fraction(key, "evaluate") for key in map(make_sampling_key, test)}
    rows = sample_test_rows((row for row in test if params.speech or not row.speech), params.max_rows, order)
    problems = [_no_calls(split) for split, found in (("train", calls), ("test", rows)) if not found]
    if problems:
        raise UserError(problems)
    vectors = embed_texts([row.utterance for row in rows])
    train_vectors = embed_texts([row.utterance for row in calls])
    places = find_nearest_rows(vectors, train_vectors, max(1, params.retrieved_examples))
    by_name = {skill.name: skill for skill in skills}
    return Question(
        rows=rows,
        tools=[[by_name[name] for name in list_tool_names(row)] for row in rows],
        skills=by_name,
        neighbors=[[calls[place] for place in nearest] for nearest in places.tolist()],
        seen_services=frozenset(service for row in train for service in row.services),
        form=rendered.style.call_format,
        template_tools=rendered.style.tools == "template",
    )


def _no_calls(split: str) -> Diagnostic:
    return Diagnostic(
        path=f"data/training/{split}.parquet",
        code="evaluation_input",
        found="no row of the view call",
        expected="at least one",
        summary="no row of the view `call`",
        fix="add `call` to render.views, then run `dvc repro evaluate`",
    )
