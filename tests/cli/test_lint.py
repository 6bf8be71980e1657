from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import Workspace

GOOD = """\
#### Prompt:
call(who="[who]")
Calls somebody.

#### Examples:
### User: call Maria
### Assistant: call(who="Maria")
"""
BAD = """\
#### Prompt:
ring(who="[who]")
Rings somebody.

#### Examples:
### User: ring Maria
### Assistant: ring(whom="Maria")
### User: ring Bob
### Assistant: ring(who="Robert")
"""


def test_good_files_print_nothing_and_exit_with_0(workspace: Workspace) -> None:
    workspace.write("data/raw/skills/call.md", GOOD)
    done = workspace.run("exemplars.cli.main", "lint")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "1 file(s), 1 example(s), 0 problem(s)\n"


def test_problems_are_printed_as_file_line_column_code_and_message(workspace: Workspace) -> None:
    workspace.write("bad.md", BAD)
    done = workspace.run("exemplars.cli.main", "lint", "bad.md")
    assert done.returncode == 1
    assert [line.split(" ")[:2] for line in done.stdout.splitlines()] == [
        ["bad.md:7:21:", "unknown_slot:"],
        ["bad.md:8:11:", "value_not_found:"],
    ]


def test_json_is_printed_for_programs(workspace: Workspace) -> None:
    workspace.write("bad.md", BAD)
    done = workspace.run("exemplars.cli.main", "lint", "--format", "json", "bad.md")
    assert done.returncode == 1
    problems = json.loads(done.stdout)
    assert [(item["path"], item["line"], item["column"], item["code"]) for item in problems] == [
        ("bad.md", 7, 21, "unknown_slot"),
        ("bad.md", 8, 11, "value_not_found"),
    ]
    assert "Robert" in problems[1]["message"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lost.md",), "lost.md: no such file or folder"),
        (("--format", "xml"), "invalid choice: 'xml'"),
    ],
)
def test_wrong_usage_exits_with_2(workspace: Workspace, arguments: tuple[str, ...], message: str) -> None:
    done = workspace.run("exemplars.cli.main", "lint", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_duplicates_and_contradictions_across_files_are_found(workspace: Workspace) -> None:
    workspace.write("a.md", GOOD)
    workspace.write("b.md", GOOD.replace("call(", "phone(").replace("call Maria", "Call  maria"))
    done = workspace.run("exemplars.cli.main", "lint", "a.md", "b.md")
    assert done.stdout.startswith("b.md:6:11: conflicting_label: ")
    doubled = GOOD + '### User: call Maria\n### Assistant: call(who="Maria")\n'
    workspace.write("c.md", doubled.replace("call(", "phone("))
    done = workspace.run("exemplars.cli.main", "lint", "c.md")
    assert done.stdout.startswith("c.md:8:11: duplicate_exemplar: ")


def test_a_folder_without_a_skill_file_is_wrong_usage(workspace: Workspace) -> None:
    workspace.write("empty/readme.txt", "")
    done = workspace.run("exemplars.cli.main", "lint", "empty")
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "exemplars lint: empty: empty_source: found no file named *.md or *.markdown, expected skill example files "
        "(*.md); name a skill file, or a folder with skill files\n",
    )


def test_no_heavy_package_is_imported() -> None:
    heavy = "{'pyarrow', 'polars', 'pandas', 'spacy', 'great_expectations', 'torch', 'dvc', 'numpy'}"
    code = f"import sys, exemplars.cli.main; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
