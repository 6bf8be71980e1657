"""What goes wrong is said in one sentence, before a request costs anything where that can be."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest

from exemplars.cli.main import main
from exemplars.core.files import write_bytes
from exemplars.core.tables import write_table
from exemplars.dataset.catalog import Skill, encode_catalog
from exemplars.dataset.row_tables import exemplars_to_table
from exemplars.generation.answer_files import lock_source
from tests.conftest import PROJECT
from tests.generation.generated_project import GeneratedProject
from tests.generation.scripted_server import Reply, ScriptedServer, find_closed_port
from tests.generation.scripts import answer_well
from tests.generation.test_generate import ask
from tests.models.tagger.rows import make_row

Serve = Callable[..., ScriptedServer]
Printed = Callable[[], str]


@pytest.fixture
def error(capsys: pytest.CaptureFixture[str]) -> Printed:
    """Return the only problem that was printed, without its indent."""

    def read() -> str:
        head, problem, *rest = capsys.readouterr().err.splitlines()
        assert (head, rest) == ("error: 1 problem(s) found", [])
        return problem.strip()

    return read


def test_no_key(project: GeneratedProject, error: Printed) -> None:
    assert main(["generate", "--model", "m"]) == 1
    assert error() == (
        "OPENAI_API_KEY: no_key: api.openai.com needs a key, and OPENAI_API_KEY is not set; set it (export "
        "OPENAI_API_KEY=...), or ask a server of your own by --base-url"
    )


def test_a_wrong_key(
    project: GeneratedProject, serve: Serve, error: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "wrong")
    server = serve(answer_well, key="right")
    assert ask(server) == 1
    message = error()
    assert "wrong_key: the server refuses the key in OPENAI_API_KEY: " in message
    assert "Incorrect API key provided." in message
    assert project.answers == []
    monkeypatch.setenv("OPENAI_API_KEY", "right")
    assert ask(server) == 0  # What was refused is asked again.
    assert len(project.answers) == 10


def test_an_unknown_model(project: GeneratedProject, serve: Serve, error: Printed) -> None:
    server = serve(
        lambda body, number: Reply(404, "The model `scripted` does not exist", code="model_not_found")
    )
    assert ask(server, "--concurrency", "1") == 1
    assert "unknown_model: the server does not have the model 'scripted': " in error()
    assert len(server.bodies) == 1


def test_the_own_server_calls_tools_and_says_that_it_writes_no_examples(
    project: GeneratedProject, error: Printed
) -> None:
    from tests.answering.test_server import Running, SlowSystem

    system = SlowSystem()
    running = Running({"lora": system})
    try:
        url = f"http://127.0.0.1:{running.port}/v1"
        assert main(["generate", "--model", "lora", "--base-url", url, "--skill", "call"]) == 1
    finally:
        running.stop()
    message = error()
    assert message.startswith(
        f"127.0.0.1:{running.port}: refused_request: the server refuses the request (400): "
    )
    assert (
        "Answers by a JSON Schema are not supported: these models call tools (`tools`), or write text."
        in message
    )
    assert message.endswith("; change the options that it names, or ask another server")
    assert system.asked == 0
    assert project.answers == []


def test_a_used_up_quota_is_not_asked_again(project: GeneratedProject, serve: Serve, error: Printed) -> None:
    server = serve(lambda body, number: Reply(429, "You exceeded your quota", code="insufficient_quota"))
    assert ask(server, "--concurrency", "1") == 1
    assert "no_quota: the quota of the key is used up" in error()
    assert len(server.bodies) == 1


def test_a_server_that_is_down(project: GeneratedProject, error: Printed) -> None:
    port = find_closed_port()
    assert ask(f"http://127.0.0.1:{port}/v1") == 1
    message = error()
    assert message.startswith(f"127.0.0.1:{port}: server_down: the server cannot be reached: ")
    assert "start it, or correct --base-url" in message


def test_a_server_that_fails_for_good_ends_the_run_with_what_was_answered(
    project: GeneratedProject, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(lambda body, number: answer_well(body, number) if number < 2 else Reply(500, "broken"))
    assert ask(server, "--retries", "0", "--concurrency", "1") == 1
    assert (
        "stopped by the server, which left 3 requests in a row unanswered (status 500"
        in capsys.readouterr().out
    )
    assert len(project.answers) == 2
    server.script = answer_well
    assert ask(server) == 0
    assert len(project.answers) == 10


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1/v1", "http://[::1/v1", "http:///v1"])
def test_an_address_that_is_none(project: GeneratedProject, error: Printed, url: str) -> None:
    assert ask(url) == 1
    assert "bad_address: the address " in error()


def test_a_catalog_without_thin_cells(project: GeneratedProject, serve: Serve, error: Printed) -> None:
    server = serve(answer_well)
    tail = " about the moon and the stars and the sea and all the little fish in it"
    texts = [start + end for start in ("Sing!", "sing") for end in ("", tail[:29], tail)]
    rows = [make_row(text, "sing") for text in sorted(texts)]
    write_bytes(project.root / "data/exemplars/catalog.json", encode_catalog([Skill("sing")]))
    write_table(project.root / "data/splits/train.parquet", exemplars_to_table(rows))
    assert main(["generate", "--model", "m", "--base-url", server.url, "--thin", "1"]) == 1
    assert error() == (
        "data/exemplars/catalog.json: no_thin_cell: no cell of the catalog is thin: each has at least 1 train row; "
        "raise --thin, or name a skill by --skill NAME --count N"
    )
    assert server.bodies == []


def test_a_catalog_without_skills(project: GeneratedProject, serve: Serve, error: Printed) -> None:
    server = serve(answer_well)
    (project.root / "data/exemplars/catalog.json").write_text("[]", "utf-8")
    assert main(["generate", "--model", "m", "--base-url", server.url]) == 1
    assert "empty_catalog: the catalog has no skill to ask examples for" in error()
    assert server.bodies == []


def test_an_unknown_skill(project: GeneratedProject, error: Printed) -> None:
    assert main(["generate", "--model", "m", "--base-url", "http://127.0.0.1:1/v1", "--skill", "cal"]) == 1
    assert "unknown_skill: found skill 'cal', expected one of " in (message := error())
    assert message.endswith("did you mean 'call'?")


def test_no_model(project: GeneratedProject, error: Printed) -> None:
    assert main(["generate"]) == 1
    assert error() == "--model: no_model: no model is named; name one as the server does, by --model M"


def test_no_generated_source(project: GeneratedProject, error: Printed) -> None:
    params = project.root / "params.yaml"
    params.write_text(params.read_text("utf-8").replace("format: generated", "format: jsonl"), "utf-8")
    assert main(["generate", "--report"]) == 1
    assert "no_generated_source: no source under ingest.sources has the format generated" in error()


def test_no_splits_yet(project: GeneratedProject, error: Printed) -> None:
    (project.root / "data/splits/train.parquet").unlink()
    assert ask("http://127.0.0.1:1/v1") == 1
    assert "dvc repro" in error()


def test_without_openai_the_extra_is_named(
    project: GeneratedProject, error: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert ask("http://127.0.0.1:1/v1") == 1
    assert error() == (
        "openai: no_package: the package openai is not installed; install it with pip install 'exemplars[generate]'"
    )


def test_two_runs_at_once(project: GeneratedProject, serve: Serve, error: Printed) -> None:
    with lock_source():
        assert ask(serve(answer_well)) == 1
    assert "busy: another `exemplars generate` is at work in this project" in error()


def run_limited(
    project: GeneratedProject, server: ScriptedServer, size: int
) -> subprocess.CompletedProcess[str]:
    """Ask with a limit on the size of files, which stops writing as a full disk does."""
    return subprocess.run(
        [sys.executable, "-m", "exemplars.cli.main", "generate", "--model", "scripted", "--base-url", server.url,
         "--skill", "call", "--count", "10", "--examples-per-request", "1"],
        cwd=project.root,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )  # fmt: skip


def test_a_full_disk_loses_no_answer_that_was_stored(project: GeneratedProject, serve: Serve) -> None:
    server = serve(answer_well)
    done = run_limited(project, server, 9_000)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line == (
        "error: data/raw/generated/scripted.jsonl: the file would be larger than the limit (ulimit -f): raise it, "
        "then run again"
    )
    [file] = (project.root / "data/raw/generated").iterdir()
    assert file.read_bytes().endswith(b"\n")
    assert 0 < len(project.answers) < 10
    assert ask(server) == 0
    assert len(project.answers) == 10
    assert set(server.seen.values()) == {1}


@pytest.mark.parametrize("blocked", ["data/raw/generated", ".dvc/tmp"])
def test_a_folder_that_cannot_be_written(
    project: GeneratedProject, serve: Serve, capsys: pytest.CaptureFixture[str], blocked: str
) -> None:
    server = serve(answer_well)
    shutil.rmtree(project.root / blocked, ignore_errors=True)
    (project.root / blocked).write_text("a file where a folder is needed", "utf-8")
    assert ask(server) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {blocked}")
    assert server.bodies == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes into read-only folders")
def test_a_read_only_folder(
    project: GeneratedProject, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(answer_well)
    folder = project.root / "data/raw/generated"
    folder.mkdir()
    folder.chmod(0o500)
    assert ask(server) == 1
    assert "permission denied" in capsys.readouterr().err
    assert server.bodies == []
