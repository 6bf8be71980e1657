"""Runs that are killed: no request is sent twice, no answer is stored twice, and none that was stored is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import PROJECT
from tests.generation.generated_project import GeneratedProject
from tests.generation.scripted_server import ScriptedServer
from tests.generation.scripts import answer_with, write_example
from tests.generation.test_generate import ask, read_lines
from tests.stage_server import StageServer

Serve = Callable[..., ScriptedServer]
COUNT = 200
KILLS = 20
ANSWERS_A_RUN = 9
"""At most, so that no run ends before its kill, however slow the machine is."""
HELD_SECONDS = 600.0
OPTIONS = ("generate", "--model", "scripted", "--skill", "call", "--examples-per-request", "1")


def start_run(python: str | Path, server: ScriptedServer, count: int) -> subprocess.Popen[bytes]:
    """Start the command as a process of its own."""
    options = [*OPTIONS, "--base-url", server.url, "--count", str(count)]
    return subprocess.Popen(
        [str(python), "-m", "exemplars.cli.main", *options],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.DEVNULL,
    )


def wait_for(server: ScriptedServer, requests: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a number of requests came."""
    while len(server.bodies) < requests:
        assert process.poll() is None, "the run ended before"
        time.sleep(0.002)


def test_a_run_that_is_killed_at_random_moments_sends_and_stores_nothing_twice(
    project: GeneratedProject, serve: Serve, stage_server: StageServer
) -> None:
    answered = [0]  # The number of requests that are answered before the next kill; later ones hear nothing.
    server = serve(
        lambda body, number: answer_with(
            write_example(number % 210), wait=0.0 if number < answered[0] else HELD_SECONDS
        )
    )
    moments = random.Random(1)
    for _ in range(KILLS):
        before = len(server.bodies)
        count = moments.randint(0, ANSWERS_A_RUN)
        answered[0] = before + count
        process = start_run(stage_server.python, server, COUNT)
        wait_for(server, before + 1 + moments.randint(0, count), process)
        time.sleep(moments.uniform(0, 0.05))
        process.kill()
        assert process.wait() == -signal.SIGKILL
    answered[0] = sys.maxsize
    time.sleep(0.1)
    assert 0 < len(project.answers) < COUNT
    assert ask(server, count=COUNT) == 0
    lines = read_lines(project)
    ids = [line["request_id"] for line in lines]
    assert len(lines) == COUNT == len(set(ids))
    assert set(server.seen.values()) == {1}
    assert set(ids) <= server.answered.keys()
    assert len(server.bodies) - COUNT <= 4 * KILLS  # Lost answers: what was under way.


def test_ctrl_c_waits_for_what_is_under_way(project: GeneratedProject, serve: Serve) -> None:
    server = serve(lambda body, number: answer_with(write_example(number), wait=0.1))
    process = start_run(sys.executable, server, 50)
    wait_for(server, 6, process)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 1
    assert len(project.answers) == len(server.bodies) < 20


def test_a_line_that_a_killed_process_left_torn_is_cut_off(project: GeneratedProject, serve: Serve) -> None:
    server = serve(lambda body, number: answer_with(write_example(number)))
    assert ask(server, count=2) == 0
    [file] = (project.root / "data/raw/generated").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:100])
    assert ask(server, count=3) == 0
    assert file.read_bytes().startswith(whole)
    assert len(read_lines(project)) == 3
    file.write_bytes(file.read_bytes().removesuffix(b"\n"))  # An editor does this; the line is whole.
    assert ask(server, count=4) == 0
    assert len(read_lines(project)) == 4
