"""`exemplars rejections`: where, what and how to fix it; what can be fixed first."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Workspace

PARAMS = """\
ingest:
  context_turns: 4
  sources:
    mine: {format: skills, path: data/mine, license: MIT}
    labelled: {format: jsonl, path: data/labelled, license: MIT}
compile: {sources: [labelled, mine], recognizers: schemas/recognizers.json}
validate: {max_rejection_rate: 1.0}
"""
SKILL = """\
#### Prompt:
ring(who="[who]")
Rings somebody.

#### Examples:
### User: ring Maria
### Assistant: ring(who="Maria")
### User: ring Bob
### Assistant: ring(who="Robert")
### User: ring Ann
### Assistant: ring(whom="Ann")
"""
LINE = '{"utterance": "call Mum", "skill": "call", "arguments": {"who": "Mum"}}\n'


@pytest.fixture
def rejected(workspace: Workspace) -> Workspace:
    workspace.write("params.yaml", PARAMS)
    workspace.write("data/mine/ring.md", SKILL)
    workspace.write("data/labelled/a.jsonl", LINE * 2)
    (workspace.root / ".dvc").mkdir()
    for command in (("stages.ingest", "mine"), ("stages.ingest", "labelled"), ("stages.compile",)):
        done = workspace.run(*command)
        assert done.returncode == 0, done.stderr
    return workspace


def test_what_can_be_fixed_comes_first_and_the_rest_is_counted(rejected: Workspace) -> None:
    done = rejected.run("exemplars.cli.main", "rejections")
    assert done.stdout == (
        "3 rejected: 2 to correct in a source, 0 by a parameter, 1 with nothing to do\n"
        "\n"
        "value_not_found (compile): 1; correct the value, say it in the text, add its\n"
        "  words to a recognizer, or declare the parameter `composed` if the model writes\n"
        "  it\n"
        "  data/mine/ring.md:8\n"
        "    'Robert' of slot 'who' occurs neither in the utterance nor in the turns\n"
        "    before it; correct the value, say it in the text, or declare the parameter\n"
        "    `composed` if the model writes it\n"
        "\n"
        "unknown_slot (ingest): 1; correct the name, or add the parameter to the skill\n"
        "  data/mine/ring.md:11:21\n"
        "    found slot 'whom', expected one of who; did you mean 'who'?\n"
        "\n"
        "nothing to do: duplicate_exemplar (compile) 1\n"
    )


def test_rows_are_selected_by_reason_source_and_stage(rejected: Workspace) -> None:
    def count(*arguments: str) -> int:
        done = rejected.run("exemplars.cli.main", "rejections", "--format", "json", *arguments)
        return len(json.loads(done.stdout))

    assert count() == 3
    assert count("--source", "mine") == 2
    assert count("--stage", "ingest") == 1
    assert count("--reason", "value_not_found", "--source", "labelled") == 0
    assert count("--limit", "0") == 0


def test_programs_get_place_remedy_and_text(rejected: Workspace) -> None:
    done = rejected.run("exemplars.cli.main", "rejections", "--format", "json", "--stage", "compile")
    row = json.loads(done.stdout)[0]
    assert row == {
        "stage": "compile",
        "reason": "value_not_found",
        "source": "mine",
        "path": "data/mine/ring.md",
        "line": 8,
        "column": None,
        "message": "'Robert' of slot 'who' occurs neither in the utterance nor in the turns before it; "
        "correct the value, say it in the text, or declare the parameter `composed` if the model writes it",
        "where": "source",
        "action": "correct the value, say it in the text, add its words to a recognizer, or declare the parameter "
        "`composed` if the model writes it",
        "id": "mine:ring.md#8",
        "locator": "8",
        "skill": "ring",
        "slot": "who",
        "utterance": "ring Bob",
    }


def test_a_reason_with_nothing_to_do_is_listed_if_asked_for(rejected: Workspace) -> None:
    done = rejected.run("exemplars.cli.main", "rejections", "--reason", "duplicate_exemplar")
    assert "  data/labelled/a.jsonl:2\n" in done.stdout


def test_the_ledger_of_a_source_is_listed_before_compile_has_run(rejected: Workspace) -> None:
    for name in ("exemplars", "rejections"):
        (rejected.root / f"data/exemplars/{name}.parquet").unlink()
    done = rejected.run("exemplars.cli.main", "rejections")
    assert done.stdout.startswith("1 rejected: 1 to correct in a source")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--reason", "value_not_fund", "did you mean 'value_not_found'?"),
        ("--source", "min", "did you mean 'mine'?"),
    ],
)
def test_a_misspelled_filter_is_an_error_with_a_guess(
    rejected: Workspace, option: str, value: str, message: str
) -> None:
    done = rejected.run("exemplars.cli.main", "rejections", option, value)
    assert done.returncode == 1
    assert message in done.stderr


def test_before_any_run_it_says_so(workspace: Workspace) -> None:
    workspace.write("params.yaml", PARAMS)
    (workspace.root / ".dvc").mkdir()
    done = workspace.run("exemplars.cli.main", "rejections")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no stage has run yet; run `dvc repro`" in done.stderr
