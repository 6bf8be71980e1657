"""The command against a real server on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from exemplars.cli.main import main
from tests.generation.generated_project import GeneratedProject
from tests.generation.scripted_server import Body, Reply, Script, ScriptedServer, build_completion
from tests.generation.scripts import answer_well, answer_with, write_example

Serve = Callable[..., ScriptedServer]


def ask(server: ScriptedServer | str, *options: str, count: int = 10) -> int:
    """Ask the server for calls, one in each request."""
    url = server if isinstance(server, str) else server.url
    return main(
        ["generate", "--model", "scripted", "--base-url", url, "--skill", "call", "--count", str(count),
         "--examples-per-request", "1", *options]
    )  # fmt: skip


def read_lines(project: GeneratedProject) -> list[Body]:
    return [json.loads(line) for line in project.answers]


def fail_first(times: int, reply: Reply) -> Script:
    """Misbehave at the first requests."""
    return lambda body, number: reply if number < times else answer_well(body, number)


def test_answers_become_lines_with_the_request_and_what_the_server_said(
    project: GeneratedProject, serve: Serve
) -> None:
    server = serve(answer_well)
    assert ask(server, "--temperature", "0.7") == 0
    lines = read_lines(project)
    assert len(lines) == 10 == len(server.bodies)
    assert set(server.seen.values()) == {1}
    line = lines[0]
    assert line["model"] == "scripted"
    assert line["answered_by"] == "scripted-2026-11-01"
    assert line["system_fingerprint"] == "fp_scripted"
    assert line["host"] == server.url.removeprefix("http://").removesuffix("/v1")
    assert line["settings"] == {"model": "scripted", "max_tokens": 2000, "temperature": 0.7}
    assert line["usage"] == {"prompt_tokens": 100, "completion_tokens": 20}
    assert line["cell"]["skill"] == "call"
    assert line["tool"]["function"]["name"] == "call"
    assert len(line["prompt_hash"]) == 64


def test_a_prompt_shows_rows_and_the_stored_one_names_them(project: GeneratedProject, serve: Serve) -> None:
    server = serve(answer_well)
    assert ask(server, count=1) == 0
    sent, stored = server.bodies[0]["messages"][1]["content"], read_lines(project)[0]["prompt"][1]["content"]
    shown = [json.loads(row)["utterance"] for row in sent.splitlines() if row.startswith('{"utterance"')]
    assert len(shown) == 3
    assert not any(utterance in stored for utterance in shown)
    assert stored.count("<row skills:call.md#") == 3


def test_the_same_command_asks_nothing_twice(
    project: GeneratedProject, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(answer_well)
    assert ask(server) == 0
    assert ask(server) == 0
    assert len(server.bodies) == 10
    assert "nothing to ask: 10 examples wait for a decision" in capsys.readouterr().out
    assert ask(server, count=12) == 0
    assert len(server.bodies) == 12
    assert set(server.seen.values()) == {1}


@pytest.mark.parametrize(
    "reply",
    [
        Reply(429, "slow down", [("Retry-After", "0.1")]),
        Reply(500, "oops", [("Retry-After", "0.1")]),
        Reply(503, "overloaded", [("retry-after-ms", "100")]),
    ],
)
def test_a_server_that_is_busy_is_asked_again_when_it_says(
    project: GeneratedProject, serve: Serve, reply: Reply
) -> None:
    server = serve(fail_first(2, reply))
    assert ask(server, count=3) == 0
    assert (len(server.bodies), len(project.answers)) == (5, 3)


@pytest.mark.parametrize(
    "reply",
    [
        answer_with(write_example(0), cut=True),
        Reply(raw="<html>gateway</html>"),
        Reply(raw='{"object": "chat.completion"}'),
        answer_with(write_example(0), wait=0.6),
    ],
    ids=["cut", "html", "no choices", "slow"],
)
def test_an_answer_that_is_cut_or_none_or_late_is_asked_for_again(
    project: GeneratedProject, serve: Serve, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    monkeypatch.setattr("exemplars.generation.asking.FIRST_WAIT", 0.05)
    server = serve(fail_first(1, reply))
    assert ask(server, "--timeout", "0.3", count=3) == 0
    assert (len(server.bodies), len(project.answers)) == (4, 3)


def test_requests_are_bounded_in_number_at_once(project: GeneratedProject, serve: Serve) -> None:
    server = serve(lambda body, number: answer_with(write_example(number), wait=0.03))
    assert ask(server, "--concurrency", "3", count=20) == 0
    assert server.most_at_work == 3


def test_a_budget_of_requests_ends_the_run_and_the_next_goes_on(
    project: GeneratedProject, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(answer_well)
    assert ask(server, "--max-requests", "4") == 0
    assert len(server.bodies) == 4 == len(project.answers)
    assert "stopped by the budget of 4 requests; the same command goes on" in capsys.readouterr().out
    assert ask(server) == 0
    assert len(server.bodies) == 10
    assert set(server.seen.values()) == {1}


def test_a_budget_of_tokens_admits_only_requests_whose_longest_answer_fits(
    project: GeneratedProject, serve: Serve
) -> None:
    server = serve(answer_well)
    assert ask(server, "--max-tokens", "3500", "--max-output-tokens", "100") == 0
    used = sum(sum(line["usage"].values()) for line in read_lines(project))
    assert 0 < used <= 3500
    assert 1 < len(server.bodies) < 10


def test_a_server_that_counts_no_tokens_is_taken_to_use_all_that_it_may(
    project: GeneratedProject, serve: Serve
) -> None:
    def answer_without_usage(body: Body, number: int) -> Reply:
        completion = build_completion(body, answer_well(body, number))
        return Reply(raw=json.dumps({**completion, "usage": None}))

    server = serve(answer_without_usage)
    assert ask(server, "--max-tokens", "6000", "--max-output-tokens", "2000", "--concurrency", "1") == 0
    assert 0 < len(server.bodies) <= 2
    assert {line["usage"] for line in read_lines(project)} == {None}


def test_refusals_and_cut_answers_are_stored_and_counted(
    project: GeneratedProject, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    replies = [Reply(refusal="I cannot."), Reply(text='{"examples": [', finish_reason="length")]
    server = serve(lambda body, number: replies[number] if number < 2 else answer_well(body, number))
    assert ask(server, "--format", "json", count=5) == 0
    tally = json.loads(capsys.readouterr().out)["tally"]
    assert (tally["answered"], tally["refused"], tally["truncated"], tally["sent"]) == (5, 1, 1, 5)
    assert {line["refusal"] for line in read_lines(project)} == {None, "I cannot."}


def test_a_dry_run_prints_prompts_and_cost_and_asks_nothing(
    project: GeneratedProject, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(answer_well)
    assert ask(server, "--dry-run", "--price", "1", "4", count=5) == 0
    text = capsys.readouterr().out
    assert "Write 1 example that fill" in text
    assert "5 requests for 5 examples; 0 wait already" in text
    assert "cost: at most 0.04" in text
    assert ask(server, "--dry-run", "--format", "json", count=5) == 0
    assert len(json.loads(capsys.readouterr().out)["planned"]) == 5
    assert server.bodies == []
    assert project.answers == []


def test_without_a_skill_the_thinnest_cells_are_asked_for_first(
    project: GeneratedProject, serve: Serve
) -> None:
    server = serve(answer_well)
    assert main(["generate", "--model", "m", "--base-url", server.url, "--count", "30"]) == 0
    cells = [line["cell"] for line in read_lines(project)]
    assert len({json.dumps(cell) for cell in cells}) == 10  # Three examples each, as none has a row.
    assert len({cell["skill"] for cell in cells}) > 1
    assert all(body["messages"][1]["content"].count("Write 3 examples") == 1 for body in server.bodies)


def test_a_prompt_has_no_keys_that_only_this_project_knows(project: GeneratedProject, serve: Serve) -> None:
    server = serve(answer_well)
    assert main(["generate", "--model", "m", "--base-url", server.url, "--count", "300"]) == 0
    assert "x-" not in "".join(json.dumps(body["response_format"]) for body in server.bodies)
    functions = [body["messages"][1]["content"].splitlines()[1] for body in server.bodies]
    assert {json.loads(function)["name"] for function in functions} > {"call", "find_book"}
    assert not any('"x-' in function for function in functions)
