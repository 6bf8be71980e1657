"""Commands called below the root of a project, outside of projects, and in shallow clones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from exemplars.cli.project import parse_path, parse_target
from tests.cli.project import Project, exemplar, said

MARIA = exemplar("skills:call.md#7", "call Maria", said("Maria"))
BOB = exemplar("skills:call.md#10", "ring Bob", said("Bob"))
Printed = Callable[..., str]


@pytest.fixture
def compiled(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Two runs, of which only the history has the first."""
    monkeypatch.setenv("EXEMPLARS_ERASURE_KEY", "a key of the tests, not a secret")
    project.write("dvc.yaml", "stages: {everything: {cmd: make}}\n")
    project.compiled(train=[MARIA, BOB])
    project.rendered(train=[MARIA])
    project.trained([MARIA])
    project.commit("first")
    project.trained([BOB])
    project.commit("second")
    return project


@pytest.mark.parametrize(
    "command",
    [
        ("runs",),
        ("trace", "skills:call.md#7"),
        ("trace", "data/raw/skills/call.md:8"),
        ("diff", "HEAD~1"),
        ("verify", "--recompute", "none"),
        ("lint",),
    ],
)
def test_a_command_prints_the_same_below_the_root(
    compiled: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
) -> None:
    from exemplars.cli.main import main

    outputs = []
    for folder in (".", "data/raw/skills"):
        monkeypatch.chdir(compiled.root / folder)
        status = main(command)
        outputs.append((status, *capsys.readouterr()))
        assert Path.cwd() == (compiled.root / folder).resolve()
    assert outputs[0] == outputs[1]
    assert any(outputs[0][1:])


def test_the_plan_of_an_erasure_is_the_same_below_the_root(
    compiled: Project, monkeypatch: pytest.MonkeyPatch, printed: Printed
) -> None:
    compiled.write(
        "data/raw/erasures.jsonl",
        '{"id": "t1", "place": "skills:call.md#99", "reviewer": "Kim", "reason": "asked"}\n',
    )
    skills = "{format: skills, path: data/raw/skills, license: MIT}"
    compiled.write("params.yaml", f"ingest: {{context_turns: 2, sources: {{skills: {skills}}}}}\n")
    for folder in (".", "data"):
        monkeypatch.chdir(compiled.root / folder)
        assert "t1" in printed("erase", "--plan", status=1)


def test_a_path_is_relative_to_the_folder_that_the_command_is_called_in(
    compiled: Project, monkeypatch: pytest.MonkeyPatch, printed: Printed
) -> None:
    monkeypatch.chdir(compiled.root / "data/raw/skills")
    assert parse_path("call.md") == Path("data/raw/skills/call.md")
    assert parse_path("../x.json") == Path("data/raw/x.json")
    assert parse_path("/tmp/x.json") == Path("/tmp/x.json")
    assert parse_target("call.md:8") == "data/raw/skills/call.md:8"
    assert parse_target("skills:call.md#7") == "skills:call.md#7"
    rows = json.loads(printed("trace", "call.md:8", "--format", "json"))["rows"]
    assert [row["id"] for row in rows] == [MARIA.id]


@pytest.mark.parametrize(
    "command",
    [
        ("trace", "call.md"),
        ("diff",),
        ("runs",),
        ("verify",),
        ("export", "--format", "openai"),
        ("merge",),
        ("curve",),
        ("erase", "--plan"),
    ],
)
def test_outside_a_project_there_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: Printed, command: tuple[str, ...]
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert printed(*command, status=1) == (
        "error: 1 problem(s) found\n"
        "  elsewhere: no_project: found no folder .dvc here or above, expected a folder in a DVC project; "
        "change to the folder with dvc.yaml, then run the command again\n"
    )


SHALLOW = (
    "error: 1 problem(s) found\n"
    "  git: shallow_clone: this clone is shallow, so that commits are missing; run `git fetch --unshallow` "
    "(in GitHub Actions: `fetch-depth: 0`)\n"
)


@pytest.mark.parametrize(
    "command",
    [
        ("runs",),
        ("trace", "skills:call.md#7"),
        ("trace", "call.md"),
        ("trace", "lora-aaaaaaaaaaaa-bbbbbbbbbbbb"),
        ("diff", "HEAD~1"),
        ("erase", "--plan"),
        ("verify", "--history", "--recompute", "none"),
    ],
)
def test_a_command_that_reads_the_history_says_that_a_clone_is_shallow(
    compiled: Project,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    printed: Printed,
    command: tuple[str, ...],
) -> None:
    compiled.write(
        "data/raw/erasures.jsonl",
        '{"id": "t1", "place": "skills:call.md#7", "reviewer": "Kim", "reason": "asked"}\n',
    )
    compiled.git("add", "-A")
    compiled.git("commit", "-q", "-m", "third")
    clone = tmp_path_factory.mktemp("clones") / "shallow"
    compiled.git("clone", "-q", "--depth", "1", f"file://{compiled.root}", str(clone))
    (clone / ".dvc/cache").symlink_to(compiled.root / ".dvc/cache")
    for path in ("exemplars", "curated", "splits", "training"):
        (clone / "data" / path).symlink_to(compiled.root / "data" / path)
    monkeypatch.chdir(clone)
    assert printed(*command, status=1) == SHALLOW


def test_what_needs_no_history_works_in_a_shallow_clone(
    compiled: Project,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    printed: Printed,
) -> None:
    clone = tmp_path_factory.mktemp("clones") / "shallow"
    compiled.git("clone", "-q", "--depth", "1", f"file://{compiled.root}", str(clone))
    (clone / ".dvc/cache").symlink_to(compiled.root / ".dvc/cache")
    monkeypatch.chdir(clone)
    assert printed("diff", "HEAD", "HEAD").endswith("no row differs\n")
