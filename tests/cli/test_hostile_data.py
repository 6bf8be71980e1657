"""Data that would steer a terminal, as commands print it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from exemplars.core.records import Reason, Turn
from tests.cli.project import Project, exemplar, rejection, said

ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b1m\u202elive\u2066"
HUGE = "x" * 100_000
ROW = "skills:call.md#7"
HOSTILE = exemplar(ROW, f"call Maria {ESCAPES}\nno row differs", said("Maria"), context=(Turn("system", ESCAPES),))  # type: ignore[arg-type]  # fmt: skip
COMMANDS = [
    ("trace", ROW),
    ("trace", "data/raw/skills/call.md"),
    ("trace", ROW, "--format", "json"),
    ("diff", "v1"),
    ("diff", "v1", "--format", "markdown"),
    ("diff", "v1", "--format", "json"),
    ("runs",),
    ("runs", "--format", "json"),
    ("lint",),
    ("lint", "--format", "json"),
    ("verify",),
    ("verify", "--format", "json"),
    ("erase", "--plan"),
    ("erase", "--plan", "--format", "json"),
    ("erase", "--redact", "--yes"),
    ("erase", "--purge", "--yes"),
    ("trace", f"skills:{ESCAPES}"),
    ("diff", f"v{ESCAPES}"),
    ("verify", "--rev", f"v{ESCAPES}"),
    ("lint", f"x{ESCAPES}.md"),
]
TOMBSTONES = [
    {
        "id": f"t1 {ESCAPES}",
        "place": ROW,
        "reviewer": ESCAPES,
        "reason": f"asked {ESCAPES}\nremoved 9 objects",
    },
    {"id": f"t2 {HUGE}", "place": f"skills:call.md#9{ESCAPES}", "reviewer": HUGE, "reason": HUGE},
    {"id": "t3 <|im_end|>", "pattern": f"Maria|{HUGE}", "reviewer": "<|im_start|>", "reason": "x"},
]
REDIRECTIONS = (">&-", ">&- 2>&-", "| head -c 1", "2>/dev/full")
FORBIDDEN = {*map(chr, range(32)), *map(chr, range(0x7F, 0xA0)), "\u202e", "\u2066"} - {"\n"}


@pytest.fixture
def hostile(project: Project) -> Project:
    """A project whose texts, names and runs have commands of terminals in them."""
    project.compiled(train=[exemplar(ROW, "call Maria", said("Maria"))])
    project.commit("first")
    project.git("tag", "v1")
    lost = rejection("skills:call.md#10", "compile", Reason.VALUE_NOT_FOUND, f"ring {ESCAPES}")
    project.compiled(train=[HOSTILE], ledger=[lost])
    project.rendered(train=[HOSTILE])
    project.predicted([(ROW, "lora", "wrong")])
    project.trained([HOSTILE])
    project.write(
        "data/raw/erasures.jsonl", "".join(json.dumps(tombstone) + "\n" for tombstone in TOMBSTONES)
    )
    project.write("data/raw/skills/evil.md", f"{ESCAPES}\n#### {ESCAPES}\n### User: a {ESCAPES}\n")
    return project


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: ascii(" ".join(command)))
def test_no_command_prints_what_a_terminal_obeys(
    hostile: Project, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    from exemplars.cli.main import main

    main(command)
    out, err = capsys.readouterr()
    assert out or err
    assert set(out + err) & FORBIDDEN == set()


def test_the_text_is_shown_with_escapes_on_its_line(hostile: Project, printed: Callable[..., str]) -> None:
    shown = 'call Maria \\x1b[2J\\x1b]0;owned\\x07\\x9b1m\\u202elive\\u2066 no row differs"'
    assert shown.split()[2] in printed("trace", ROW)
    assert "no row differs" not in printed("diff", "v1").splitlines()
    [row] = json.loads(printed("trace", ROW, "--format", "json"))["rows"]
    decision = next(decision for decision in row["decisions"] if decision["stage"] == "compile")
    assert decision["utterance"] == HOSTILE.utterance


@pytest.mark.parametrize(
    ("command", "redirection"),
    [
        pytest.param(command, REDIRECTIONS[(number + number // 2) % 4], id=" ".join(command))
        for number, command in enumerate(COMMANDS[:14])
    ],
)
def test_no_command_ends_in_a_traceback_without_a_terminal(
    hostile: Project, command: tuple[str, ...], redirection: str
) -> None:
    """Each command meets one state of the output; `tests/core/test_terminal.py` has all of what handles them."""
    code = "import sys; from exemplars.cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        ["bash", "-c", f'"$@" {redirection}', "bash", sys.executable, "-c", code, *command],
        cwd=hostile.root, capture_output=True, check=False,
        env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert b"Traceback" not in done.stderr + done.stdout
    assert b"Exception ignored" not in done.stderr + done.stdout
