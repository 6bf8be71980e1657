"""The Batch API: written, submitted, collected, each request once."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from exemplars.cli.main import main
from exemplars.generation.batches import read_batches, save_batch
from tests.generation.generated_project import GeneratedProject
from tests.generation.scripted_server import Reply, ScriptedServer
from tests.generation.scripts import answer_well
from tests.generation.test_generate import ask, read_lines

Serve = Callable[..., ScriptedServer]


def collect(server: ScriptedServer) -> int:
    return main(["generate", "--batch", "collect", "--base-url", server.url])


def test_a_written_batch_is_sent_to_nobody(
    project: GeneratedProject, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(answer_well)
    assert ask(server, "--batch", "write") == 0
    name = capsys.readouterr().out.split()[-1]
    lines = [json.loads(line) for line in (project.root / name).read_bytes().splitlines()]
    assert len(lines) == 10
    assert {line["url"] for line in lines} == {"/v1/chat/completions"}
    assert (server.bodies, server.files) == ([], {})
    assert collect(server) == 0
    assert "written" in capsys.readouterr().out


def test_a_batch_is_collected_when_it_is_done_and_what_failed_is_asked_again(
    project: GeneratedProject, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(lambda body, number: Reply(500) if number == 3 else answer_well(body, number))
    assert ask(server, "--batch", "submit") == 0
    assert "submitted 10 requests as batch-0; then --batch collect" in capsys.readouterr().out
    assert ask(server) == 0  # Other requests: those of the batch are under way.
    assert len(project.answers) == 10
    assert collect(server) == 0
    assert "in_progress" in capsys.readouterr().out
    server.finish_batch("batch-0")
    assert collect(server) == 1
    text = capsys.readouterr().out
    assert "completed" in text
    assert "9 of 10 requests answered" in text
    ids = [line["request_id"] for line in read_lines(project)]
    assert len(ids) == 19 == len(set(ids))
    assert collect(server) == 0
    assert "no batch is under way" in capsys.readouterr().out


def test_a_batch_whose_run_was_killed_after_it_was_submitted_is_found_by_its_name(
    project: GeneratedProject, serve: Serve
) -> None:
    server = serve(answer_well)
    assert ask(server, "--batch", "submit") == 0
    [batch] = read_batches()
    batch.batch_id, batch.status = None, "submitting"
    save_batch(batch)
    server.finish_batch("batch-0")
    assert collect(server) == 0
    assert len(project.answers) == 10


def test_a_server_without_batches_says_so_and_nothing_counts_as_sent(
    project: GeneratedProject, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(answer_well)
    server.has_batches = False
    assert ask(server, "--batch", "submit") == 1
    [_, problem] = capsys.readouterr().err.splitlines()
    assert "no_batch: the server does not take or know the batch: " in problem
    assert problem.endswith("run the same command again, or ask without --batch")
    assert ask(server) == 0
    assert len(project.answers) == 10
