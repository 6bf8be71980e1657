"""`exemplars review`: what it prints, and what is wrong before it serves."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.review.projects import write_project
from tests.review.serving import ProcessServer, ask

pytest.importorskip("uvicorn")


@pytest.fixture
def reviewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    return tmp_path


def test_the_address_is_printed_and_the_page_answers_until_ctrl_c(reviewed: Path) -> None:
    server = ProcessServer(reviewed, "--reviewer", "Ada Lovelace")
    assert server.line == f"Ada Lovelace reviews on {server.address} (Ctrl-C ends)\n"
    assert ask(server.address, "start")["reviewer"] == "Ada Lovelace"
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(20) == 0


def test_the_reviewer_is_the_user_of_git(reviewed: Path) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "config", "user.name", "Grace"], check=True)
    server = ProcessServer(reviewed, "--queue", "conflicts")
    assert server.line.startswith("Grace reviews on ")
    assert server.address.endswith("/#queue=conflicts")
    server.kill()


def test_a_project_without_rows_names_the_command_that_makes_them(
    reviewed: Path, printed: Callable[..., str]
) -> None:
    os.remove("data/exemplars/exemplars.parquet")
    assert printed("review", status=1) == (
        "error: 1 problem(s) found\n"
        "  data/exemplars/exemplars.parquet: no_rows: there are no rows to review yet; run `dvc repro curate`\n"
    )


def test_an_unknown_queue_is_one_sentence(reviewed: Path, printed: Callable[..., str]) -> None:
    assert printed("review", "--queue", "conflict", status=1).endswith(
        "unknown_queue: found --queue conflict, expected one of generated, conflicts, label-noise, errors, disagreement, "
        "privacy, quality, stale; did you mean 'conflicts'?\n"
    )


def test_a_blank_reviewer_is_one_sentence(reviewed: Path, printed: Callable[..., str]) -> None:
    assert printed("review", "--reviewer", " ", status=1).endswith(
        "no_reviewer: found no name of a reviewer, expected who decides; add --reviewer NAME\n"
    )


def test_a_broken_file_of_decisions_is_named_with_its_line(
    reviewed: Path, printed: Callable[..., str]
) -> None:
    (reviewed / "data/raw/reviews.jsonl").write_text('\n{"version": 2}\n', "utf-8")
    assert "data/raw/reviews.jsonl:2: other_version: found version '2'" in printed("review", status=1)


def test_a_port_in_use_is_one_sentence(reviewed: Path, printed: Callable[..., str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert printed("review", "--port", str(port), status=1).endswith(
            f"127.0.0.1:{port}: no_port: port {port} is in use; end the other program, or choose --port\n"
        )


def test_a_truncated_table_is_one_sentence(reviewed: Path, printed: Callable[..., str]) -> None:
    path = reviewed / "data/exemplars/exemplars.parquet"
    path.write_bytes(path.read_bytes()[:200])
    message = printed("review", status=1)
    assert message.startswith("error: 1 problem(s) found\n  data: unreadable_table: found ")
    assert message.endswith(
        "expected the tables of this version; wait for `dvc repro` if it runs, or run it\n"
    )
