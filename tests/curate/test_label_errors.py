from __future__ import annotations

import random

import pytest

from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from exemplars.dataset.embeddings import embed_texts
from stages.curate.label_errors import (
    LabelError,
    build_embedding_classifier,
    build_word_classifier,
    find_label_errors,
)
from tests.conftest import PROJECT, Workspace
from tests.curate.embedding_model import needs_model

CALLS = [
    f"please call my {name} {when}" for name in ("mum", "dad", "boss") for when in ("now", "at noon", "later")
]
SONGS = [
    f"play some {kind} music {where}"
    for kind in ("jazz", "rock", "pop")
    for where in ("here", "loud", "again")
]


def test_a_planted_error_ranks_first() -> None:
    labels = ["call"] * len(CALLS) + ["play"] * len(SONGS)
    labels[4] = "play"
    errors = find_label_errors([*CALLS, *SONGS], labels, 3, build_word_classifier())
    assert [(error.position, error.suggested) for error in errors][:1] == [(4, "call")]
    assert isinstance(errors[0], LabelError)


@needs_model
def test_a_planted_error_ranks_first_with_embeddings() -> None:
    songs = [text.replace(" music", "") for text in SONGS]
    labels = ["play" if index == 4 else "call" for index in range(9)] + ["play"] * 9
    errors = find_label_errors([*CALLS, *songs], labels, 3, build_embedding_classifier(embed_texts))
    assert errors[0].position == 4


def test_a_single_skill_has_no_errors() -> None:
    assert find_label_errors(CALLS, ["call"] * len(CALLS), 3, build_word_classifier()) == []


def test_a_skill_with_fewer_rows_than_folds_is_left_out() -> None:
    labels = ["call"] * len(CALLS) + ["play"] * 2
    assert find_label_errors([*CALLS, *SONGS[:2]], labels, 3, build_word_classifier()) == []


@pytest.mark.workspace
def test_planted_errors_of_the_default_data_are_in_the_top_ranks(workspace: Workspace) -> None:
    """Of 72 planted errors in 904 examples, at least 80 % are among the top 144 (66 measured)."""
    files = sorted((PROJECT / "data/raw/skills").glob("*.md"))
    for file in files:
        workspace.write(f"raw/{file.name}", file.read_bytes())
    workspace.write(
        "params.yaml",
        "ingest: {context_turns: 4, sources: {s: {format: skills, path: raw, license: MIT, none_skill: other}}}\n"
        "compile: {sources: [s], recognizers: schemas/recognizers.json}\n",
    )
    for command in (("stages.ingest", "s"), ("stages.compile",)):
        assert workspace.run(*command).returncode == 0
    table = read_table(workspace.root / "data/exemplars/exemplars.parquet", EXEMPLAR_SCHEMA)
    labels = [skill or "(none)" for skill in table.column("skill").to_pylist()]
    names = sorted(set(labels))
    chance = random.Random(7)
    planted = set(chance.sample(range(len(labels)), len(labels) * 8 // 100))
    for index in planted:
        labels[index] = chance.choice([name for name in names if name != labels[index]])
    errors = find_label_errors(table.column("utterance").to_pylist(), labels, 5, build_word_classifier())
    in_top = len(planted & {error.position for error in errors[: 2 * len(planted)]})
    assert in_top >= 0.8 * len(planted)
