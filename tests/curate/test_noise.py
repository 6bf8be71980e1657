from __future__ import annotations

import random

from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import read_table
from stages.curate.noise import Suspect, by_words, likely_errors
from tests.conftest import PROJECT, Workspace

CALLS = [
    f"please call my {name} {when}" for name in ("mum", "dad", "boss") for when in ("now", "at noon", "later")
]
SONGS = [
    f"play some {kind} music {where}"
    for kind in ("jazz", "rock", "pop")
    for where in ("here", "loud", "again")
]


def test_a_planted_error_is_the_first_suspect() -> None:
    labels = ["call"] * len(CALLS) + ["play"] * len(SONGS)
    labels[4] = "play"
    found = likely_errors([*CALLS, *SONGS], labels, 3, by_words())
    assert [(one.place, one.suggested) for one in found][:1] == [(4, "call")]
    assert isinstance(found[0], Suspect)


def test_one_skill_alone_has_no_suspects() -> None:
    assert likely_errors(CALLS, ["call"] * len(CALLS), 3, by_words()) == []


def test_a_skill_with_fewer_rows_than_folds_is_left_out() -> None:
    labels = ["call"] * len(CALLS) + ["play"] * 2
    assert likely_errors([*CALLS, *SONGS[:2]], labels, 3, by_words()) == []


def test_planted_errors_of_the_default_data_stand_in_the_top_ranks(workspace: Workspace) -> None:
    """Of 72 planted errors in 904 examples, at least 80 % stand in the first 144 suspects (66 measured)."""
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
    for place in planted:
        labels[place] = chance.choice([name for name in names if name != labels[place]])
    found = likely_errors(table.column("utterance").to_pylist(), labels, 5, by_words())
    in_top = len(planted & {one.place for one in found[: 2 * len(planted)]})
    assert in_top >= 0.8 * len(planted)
