"""A source of NLU data as the pipeline reads it: parameters, files on disk, catalog, ledger."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from tests.conftest import Workspace

PARAMS = """\
ingest:
  context_turns: 4
  sources:
    mine: {format: nlu, path: raw, license: MIT, on_bad_file: fail}
compile: {sources: [mine], recognizers: schemas/recognizers.json}
validate: {max_rejection_rate: 1.0}
"""
NLU = """\
nlu:
- intent: book table
  examples: |
    - a table in [Roma](city)
    - a table in [Rome](city) or [Oslo](city)
    - [Rome(city)
- intent: chitchat
  examples: |
    - hello
- synonym: Rome
  examples: |
    - Roma
"""


def list_rows(workspace: Workspace, path: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = pq.read_table(workspace.root / path).to_pylist()
    return rows


@pytest.fixture
def project(workspace: Workspace) -> Workspace:
    workspace.write("params.yaml", PARAMS)
    workspace.write("raw/data/nlu.yml", NLU)
    return workspace


def test_examples_become_exemplars_and_every_record_has_a_row(project: Workspace) -> None:
    project.write("params.yaml", PARAMS.replace("fail}", "fail, none_intents: [chitchat]}"))
    for command in (("stages.ingest", "mine"), ("stages.compile",)):
        done = project.run(*command)
        assert done.returncode == 0, done.stderr
    exemplars = list_rows(project, "data/exemplars/exemplars.parquet")
    assert [(row["id"], row["exemplar"], row["skill"], row["mode"]) for row in exemplars] == [
        ("mine:data/nlu.yml#4", "a table in <city>", "book_table", "normal"),
        ("mine:data/nlu.yml#9", "hello", None, "none"),
    ]
    assert exemplars[0]["arguments"] == [
        {
            "slot": "city",
            "value": "Rome",
            "surface": "Roma",
            "start": 11,
            "end": 15,
            "grounding": "normalized",
            "accepted": [],
        }
    ]
    rejections = list_rows(project, "data/exemplars/rejections.parquet")
    assert [(row["id"], row["stage"], row["reason"]) for row in rejections] == [
        ("mine:data/nlu.yml#5", "compile", "duplicate_slot"),
        ("mine:data/nlu.yml#6", "ingest", "malformed_record"),
    ]
    [tool] = json.loads((project.root / "data/exemplars/catalog.json").read_bytes())
    assert tool["function"]["name"] == "book_table"
    assert tool["function"]["parameters"]["required"] == []


def test_a_tools_file_is_the_catalog(project: Workspace) -> None:
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "day": {"type": "string"}},
        "required": ["day"],
    }
    tools = [{"type": "function", "function": {"name": "book_table", "parameters": parameters}}]
    project.write("raw/tools.json", json.dumps(tools))
    assert project.run("stages.ingest", "mine").returncode == 0
    reasons = [row["reason"] for row in list_rows(project, "data/records/mine.rejections.parquet")]
    assert reasons == ["missing_argument", "missing_argument", "malformed_record"]
    catalog = json.loads((project.root / "data/records/mine.catalog.json").read_bytes())
    assert [item["function"]["name"] for item in catalog] == ["book_table"]


def test_a_file_of_no_dialect_stops_the_stage_or_is_in_the_ledger(project: Workspace) -> None:
    project.write("raw/pets.yml", "pets: [cat]\n")
    project.write("raw/nlu.txt", "nlu:\n- intent: a\n")
    done = project.run("stages.ingest", "mine")
    assert done.returncode == 1
    assert "pets.yml: unknown_dialect: found a file of no known dialect" in done.stderr
    assert "nlu.txt: misnamed_file: found such data in a file of another name" in done.stderr
    project.write("params.yaml", PARAMS.replace("fail}", "reject}"))
    assert project.run("stages.ingest", "mine").returncode == 0
    rejections = list_rows(project, "data/records/mine.rejections.parquet")
    assert [row["id"] for row in rejections if row["reason"] == "unreadable_file"] == [
        "mine:nlu.txt#",
        "mine:pets.yml#",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            "dialect: rassa",
            "params.yaml:4: invalid_value: ingest.sources.mine.dialect is 'rassa': expected one of alexa, bio, clinc, clu, dialogflow, luis, massive, rasa, snips; correct the value",
        ),
        ("dialect: snips", "data/nlu.yml: other_dialect: found a file of the dialect rasa, expected snips"),
        (
            "none_intents: [chitchat, chitcat]",
            "params.yaml: unknown_intent: none_intents names 'chitcat', which no example has; did you mean 'chitchat'?",
        ),
        ("none_intent: [a]", "did you mean 'none_intents'?"),
    ],
)
def test_a_wrong_parameter_stops_the_stage(project: Workspace, options: str, message: str) -> None:
    project.write("params.yaml", PARAMS.replace("fail}", f"fail, {options}}}"))
    done = project.run("stages.ingest", "mine")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert message in done.stderr


def test_parallel_files_of_a_folder_belong_together(project: Workspace) -> None:
    for name, text in (("seq.in", "to Rome\n"), ("seq.out", "O B-city\n"), ("label", "go\n")):
        project.write(f"raw/test/{name}", text)
    assert project.run("stages.ingest", "mine").returncode == 0
    rows = list_rows(project, "data/records/mine.parquet")
    assert [(row["id"], row["split"]) for row in rows if row["skill"] == "go"] == [
        ("mine:test/seq.in#1", "test")
    ]


def test_lint_names_the_line_of_each_problem(project: Workspace) -> None:
    done = project.run("exemplars.cli.main", "lint", "--source", "mine")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "raw/data/nlu.yml:5:1: duplicate_slot: slot 'city' is filled twice; keep one of the values",
        "raw/data/nlu.yml:6:1: malformed_record: found a bracket at character 1 that never closes, expected [text](entity), or "
        '[text]{"entity": ...}; correct the markup',
    ]
