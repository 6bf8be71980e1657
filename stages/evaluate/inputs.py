"""What evaluation reads, and the tasks that follow from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa

from exemplars.core import layout
from exemplars.core.conditions import Condition
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.records import Reason
from exemplars.core.schemas import EXEMPLAR_SCHEMA, REJECTION_SCHEMA
from exemplars.core.tables import read_table, rows_from_table
from exemplars.dataset.catalog import Skill, read_catalog
from exemplars.dataset.embeddings import embed_texts
from exemplars.dataset.recognizers import Recognizer, read_recognizers, select_recognizers
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.models.candidates import CandidateFinder, add_candidates
from exemplars.models.render_manifest import RenderManifest, read_render_manifest
from exemplars.models.rows import TRAINING_SCHEMA, TrainingRow, View, list_tool_names
from exemplars.models.turns import TurnRows
from stages.evaluate.knn import choose_neighbors, order_by_similarity
from stages.evaluate.params import EvaluateParams
from stages.evaluate.task import (
    Task,
    build_rows,
    encode_row,
    sample_turns,
)

SCHEMAS: Final = {
    layout.training("train"): TRAINING_SCHEMA,
    layout.training("test"): TRAINING_SCHEMA,
    layout.ledger_path(layout.TRAINING_BASE): REJECTION_SCHEMA,
    layout.split("test"): EXEMPLAR_SCHEMA,
    layout.split_speech(): EXEMPLAR_SCHEMA,
}
"""The tables that are read, with their schemas."""


class Inputs(NamedTuple):
    """What evaluation reads."""

    train: Sequence[TrainingRow]
    """The train rows of the view `call`."""
    turns: Sequence[TurnRows]
    """The test turns that are asked."""
    rendered: Mapping[str, TrainingRow]
    """The test rows of the view `call`, by id."""
    skills: Mapping[str, Skill]
    """The catalog, by name."""
    manifest: RenderManifest
    seen_services: frozenset[str]
    """The services of the train rows."""
    digests: frozenset[str]
    """The digests of all test rows, which no run may have seen."""
    recognizers: Mapping[str, Recognizer] = {}
    """Those with lists that the catalog names."""


def read_inputs(params: EvaluateParams) -> Inputs:
    """Read rows, catalog and manifest, and sample the test turns.

    Raises `UserError` if a table is missing or unreadable, or if `train` or `test` has no row of the view `call`.
    """
    tables = {path: read_table(path, schema) for path, schema in SCHEMAS.items()}
    manifest = read_render_manifest()
    catalog, lexicon = read_catalog(layout.CATALOG), read_recognizers(layout.LEXICON).recognizers
    inputs = assemble_inputs(tables, catalog, manifest, params, lexicon)
    problems = [
        _no_calls(split) for split, found in (("train", inputs.train), ("test", inputs.rendered)) if not found
    ]
    if problems:
        raise UserError(problems)
    return inputs


def assemble_inputs(
    tables: Mapping[Path, pa.Table],
    catalog: Iterable[Skill],
    manifest: RenderManifest,
    params: EvaluateParams,
    lexicon: Mapping[str, Recognizer] | None = None,
) -> Inputs:
    """Assemble what evaluation reads, and sample the test turns.

    tables: those of `SCHEMAS`, by path. lexicon: the recognizers with lists; who scores given answers needs none.
    """
    skills = {skill.name: skill for skill in catalog}
    train, test = (
        rows_from_table(tables[layout.training(split)], TrainingRow) for split in ("train", "test")
    )
    exemplars = exemplars_from_table(tables[layout.split("test")])
    views = exemplars_from_table(tables[layout.split_speech()]) if params.speech else []
    asked = [*exemplars, *(view for view in views if view.split == "test")]
    left_out = _list_left_out(tables[layout.ledger_path(layout.TRAINING_BASE)])
    return Inputs(
        train=[row for row in train if row.view == View.CALL],
        turns=sample_turns(asked, left_out, params.max_rows),
        rendered={row.id: row for row in test if row.view == View.CALL},
        skills=skills,
        manifest=manifest,
        seen_services=frozenset(service for row in train for service in row.services),
        digests=frozenset(row.digest for row in exemplars),
        recognizers=select_recognizers(lexicon or {}, skills.values()),
    )


def _list_left_out(ledger: pa.Table) -> frozenset[str]:
    """List the ids of the rows that `render` did not sample: they are not asked, as they are not rejected."""
    pairs = zip(ledger.column("id").to_pylist(), ledger.column("reason").to_pylist(), strict=True)
    return frozenset(row_id for row_id, reason in pairs if reason == Reason.NOT_DRAWN)


def order_neighbors(inputs: Inputs) -> list[list[int]]:
    """Order the places of all train rows for each turn, the nearest first, by embeddings of their utterances."""
    vectors = embed_texts([turn.first.utterance for turn in inputs.turns])
    train_vectors = embed_texts([row.utterance for row in inputs.train])
    ordered: list[list[int]] = order_by_similarity(vectors, train_vectors).tolist()
    return ordered


def build_tasks(
    inputs: Inputs,
    order: Sequence[Sequence[int]],
    ranked: Sequence[Sequence[str]],
    params: EvaluateParams,
    find_candidates: CandidateFinder | None = None,
) -> dict[Condition, Task]:
    """Build the task of each condition, without the tokens of prompts that `render` did not make.

    order: as of `order_neighbors`. ranked: the names of the tools that prompts show under `end_to_end`, for each turn.
    find_candidates: finds the values that prompts show; `None`: they show none.
    """
    questions = [turn.question for turn in inputs.turns]
    if find_candidates is not None:
        questions = add_candidates(questions, find_candidates)
    shown = [[inputs.skills[name] for name in names if name in inputs.skills] for names in ranked]
    tasks = {}
    for condition in Condition:
        rows = build_rows(
            condition, inputs.turns, questions, inputs.rendered, shown, inputs.skills, inputs.manifest
        )
        task = Task(
            condition=condition,
            rows=rows,
            questions=questions,
            skills=inputs.skills,
            neighbors=(),
            seen_services=inputs.seen_services,
            style=inputs.manifest.style,
            find_candidates=find_candidates,
        )
        count = max(1, params.retrieved_examples)
        neighbors = [
            choose_neighbors(places, inputs.train, task.list_callable(place), count)
            for place, places in enumerate(order)
        ]
        tasks[condition] = task._replace(neighbors=neighbors)
    return tasks


def encode_task(task: Task, rendered: Collection[str], tokenizer: Any, limit: int | None) -> Task:
    """Add the tokens of prompts that are not those of `render`, but for turns that it rejected.

    rendered: the ids of the rows that it made. limit: the maximum number of tokens.
    """
    rows = []
    for row, question in zip(task.rows, task.questions, strict=True):
        if row.id in rendered and not row.input_ids:
            tools = [task.skills[name] for name in list_tool_names(row)]
            row = encode_row(row, question, tools, task.style, tokenizer, limit)
        rows.append(row)
    return task._replace(rows=rows)


def _no_calls(split: str) -> Diagnostic:
    return Diagnostic(
        path=f"data/training/{split}.parquet",
        code="evaluation_input",
        found="no row of the view call",
        expected="at least one",
        summary="no row of the view `call`",
        fix="add `call` to render.views, then run `dvc repro evaluate`",
    )
