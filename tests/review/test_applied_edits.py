"""An edit from the page to the stages: the row becomes what the page showed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from exemplars.core.records import Mode
from exemplars.review.edit_check import Edit, EditedArgument
from exemplars.review.queues import Queue
from exemplars.review.requests import CheckRequest, Choice, DecisionRequest, UndoRequest
from exemplars.review.session import ReviewSession
from tests.conftest import SAMPLE, Workspace

PARAMS = """\
ingest: {sources: {skills: {format: skills, path: data/raw/skills, license: MIT, none_skill: other}}}
curate: {label_noise: {enabled: false}}
"""
ROW = "skills:call.md#25"


@pytest.fixture
def project(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    shutil.copytree(SAMPLE / "data/raw/skills", workspace.root / "data/raw/skills")
    workspace.write("params.yaml", PARAMS)
    workspace.write("data/raw/reviews.jsonl", "\n")
    run(workspace, "stages.ingest", "skills")
    run(workspace, "stages.compile")
    monkeypatch.chdir(workspace.root)
    return workspace


def run(workspace: Workspace, *command: str) -> None:
    done = workspace.run(*command)
    assert done.returncode == 0, done.stderr


def test_compile_makes_of_an_edit_what_the_page_has_shown(project: Workspace) -> None:
    session = ReviewSession("Ada")
    row = session.show_row(ROW, "")
    argument = row["arguments"][0]
    start = argument["start"]
    edited = EditedArgument(argument["slot"], argument["value"][:-1], start, argument["end"] - 1)
    edit = Edit(row["skill"], Mode.NORMAL, (edited,))
    shown = session.check(CheckRequest(ROW, edit))["row"]
    request = DecisionRequest("1" * 32, ROW, row["digest"], Choice.EDITED, edit=edit)
    session.decide(request)

    run(project, "stages.compile")
    run(project, "stages.curate")
    after = session.show_row(ROW, "")
    assert {key: after[key] for key in ("digest", "call", "template")} == {
        key: shown[key] for key in ("digest", "call", "template")
    }
    assert after["digest"] != row["digest"]
    assert after["decisions"]["own"]["decision"] == "edited"
    assert session.list_queue(Queue.STALE)["entries"] == []

    # The next edit begins where the first one ended, and undo takes both back.
    again = Edit(
        row["skill"],
        Mode.NORMAL,
        (EditedArgument(argument["slot"], argument["value"], start, argument["end"]),),
    )
    shown = session.check(CheckRequest(ROW, again))["row"]
    assert (shown["call"], shown["digest"]) == (row["call"], row["digest"])
    session.undo(UndoRequest("2" * 32, "1" * 32))
    run(project, "stages.compile")
    assert session.show_row(ROW, "")["digest"] == row["digest"]


def test_a_row_that_was_rejected_is_shown_with_its_reviewer(project: Workspace) -> None:
    session = ReviewSession("Ada")
    row = session.show_row(ROW, "")
    session.decide(DecisionRequest("1" * 32, ROW, row["digest"], Choice.REJECTED))
    run(project, "stages.compile")
    run(project, "stages.curate")
    rejection = session.show_row(ROW, "")["rejection"]
    assert (rejection["stage"], rejection["reason"]) == ("curate", "rejected_by_reviewer")
    assert "Ada decided against it" in rejection["message"]
    assert Path("data/raw/reviews.jsonl").read_text("utf-8").count("\n") == 2
