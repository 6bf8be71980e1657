"""Text for people, whatever the data is and wherever it goes."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.terminal import escape_controls, escape_line

ROOT = Path(__file__).parents[2]
HOSTILE = "\x1b[2J\x1b]0;title\x07 \x9b31m \u202eevil\u202c \u2066x\u2069 \u2028 \r"
"""Clear the screen, set the window's title, a C1 command, and changes of direction."""


def test_commands_of_terminals_are_escaped() -> None:
    assert escape_controls(HOSTILE) == (
        "\\x1b[2J\\x1b]0;title\\x07 \\x9b31m \\u202eevil\\u202c \\u2066x\\u2069 \\u2028 \\r"
    )


def test_a_line_stays_a_line() -> None:
    assert escape_line("call\nno problems\t\r\n") == "call\\nno problems\\t\\r\\n"
    assert escape_controls("call\n\tMaria\n") == "call\n\tMaria\n"


@pytest.mark.parametrize("text", ["Zoë, 你好 – नमस्ते", "👩‍👩‍👧", "שלום", "a\\x1b"])
def test_letters_of_all_scripts_stay_as_they_are(text: str) -> None:
    assert escape_line(text) == text


@given(st.text())
def test_escaping_leaves_printable_text_and_is_idempotent(text: str) -> None:
    escaped = escape_line(text)
    assert escape_line(escaped) == escaped
    assert not set(escaped) & set(map(chr, [*range(32), *range(0x7F, 0xA0), *range(0x202A, 0x202F)]))


@pytest.mark.parametrize("folder", ["exemplars", "stages"])
def test_nothing_is_printed_past_the_escape(folder: str) -> None:
    places = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert places == []


SCRIPT = """
import sys
from exemplars.core.errors import Diagnostic, UserError, run_main
from exemplars.core.terminal import print_line

def main():
    print_line("…" * 10000)
    if sys.argv[1:] == ["fail"]:
        raise UserError([Diagnostic(path="a\\x1b[2J", code="c", found="ü\\n", expected="b", fix="d")])
    return "done"

sys.exit(run_main(main))
"""


@pytest.mark.parametrize(
    ("redirection", "status", "error"),
    [
        ("", 0, ""),
        (">&-", 0, ""),
        (">&- 2>&-", 0, ""),
        (">&- 2>&- <&-", 0, ""),
        ("| head -c 1 >/dev/null", 0, ""),
        (">/dev/full", 1, "error: writing an output: the disk is full: free some space, then run the same command again\n"),
    ],
)  # fmt: skip
def test_no_state_of_the_standard_output_ends_in_a_traceback(
    redirection: str, status: int, error: str
) -> None:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"\"$@\" {redirection}", "bash", sys.executable, "-c", SCRIPT],
        cwd=ROOT, capture_output=True, env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.decode()) == (status, error)


def test_errors_are_escaped_and_written_in_any_encoding() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "fail"],
        cwd=ROOT, capture_output=True, env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == (b"error: 1 problem(s) found\n  a\\x1b[2J: c: found \\xfc\\n, expected b; d\n")
