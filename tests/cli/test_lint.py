from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import SAMPLE, Workspace

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


PARAMS = """\
ingest:
  sources:
    mine: {format: skills, path: raw/mine, license: MIT, none_skill: other}
    logs: {format: jsonl, path: raw/logs, license: MIT}
    dialogues: {format: sgd, path: raw/sgd, license: MIT, splits: []}
    bot: {format: opencui, path: raw/bot, license: MIT}
"""
LOGS = """\
{"utterance": "call Bob", "skill": "phone", "arguments": {"who": "Robert"}}
{"utterance": "call Ann", "skill": "phone", "arguments": {"who": "Ann"}}
{"utterance": "call Ann"
"""


@pytest.fixture
def project(workspace: Workspace) -> Workspace:
    workspace.write("params.yaml", PARAMS)
    workspace.write("raw/mine/call.md", GOOD)
    workspace.write("raw/mine/ring.md", BAD)
    workspace.write("raw/logs/a.jsonl", LOGS)
    for name in ("sgd/dev", "bots/bakery"):
        for path in (SAMPLE / "data/raw" / name).iterdir():
            workspace.write(f"raw/{name.partition('/')[0].removesuffix('s')}/{path.name}", path.read_bytes())
    return workspace


def test_all_sources_of_a_project_are_linted_by_their_own_readers(project: Workspace) -> None:
    done = project.run("exemplars.cli.main", "lint")
    assert done.returncode == 1
    assert [line.split(" ")[:2] for line in done.stdout.splitlines()] == [
        ["raw/logs/a.jsonl:1:1:", "value_not_found:"],
        ["raw/logs/a.jsonl:3:25:", "malformed_record:"],
        ["raw/mine/ring.md:7:21:", "unknown_slot:"],
        ["raw/mine/ring.md:8:11:", "value_not_found:"],
    ]
    assert done.stderr.startswith("4 source(s), ")
    assert done.stderr.endswith(" record(s), 4 problem(s)\n")


def test_one_source_is_linted_by_its_name(project: Workspace) -> None:
    done = project.run("exemplars.cli.main", "lint", "--source", "logs")
    assert done.stderr == "1 source(s), 3 record(s), 2 problem(s)\n"
    done = project.run("exemplars.cli.main", "lint", "--source", "dialogues")
    assert (done.returncode, done.stdout) == (0, "")
    done = project.run("exemplars.cli.main", "lint", "--source", "log")
    assert done.returncode == 2
    assert "did you mean 'logs'?" in done.stderr


def test_problems_are_annotations_of_github_and_sarif_results(project: Workspace) -> None:
    done = project.run("exemplars.cli.main", "lint", "--source", "mine", "--format", "github")
    assert done.stdout.splitlines()[0].startswith(
        "::error file=raw/mine/ring.md,line=7,col=21,title=unknown_slot::found slot 'whom', expected one of who"
    )
    done = project.run("exemplars.cli.main", "lint", "--source", "mine", "--format", "sarif")
    results = json.loads(done.stdout)["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["unknown_slot", "value_not_found"]


def test_a_source_that_cannot_be_read_is_a_problem_with_its_file(project: Workspace) -> None:
    project.write("raw/bot/exemplars.json", b"{")
    done = project.run("exemplars.cli.main", "lint", "--source", "bot")
    assert done.returncode == 1
    assert done.stdout.startswith("raw/bot/exemplars.json:1:1: ")


def test_a_source_and_a_path_together_are_wrong_usage(project: Workspace) -> None:
    done = project.run("exemplars.cli.main", "lint", "--source", "mine", "raw/mine")
    assert (done.returncode, done.stderr) == (2, "exemplars lint: name a source, or paths, but not both\n")


ADOPTING = """\
ingest:
  sources:
    mine: {format: skills, path: raw/mine, license: MIT}
    logs: {format: jsonl, path: raw/logs, license: MIT}
    chats: {format: jsonl, path: raw/chats, license: MIT, ungrounded: compose}
"""
REQUIRING = """\
#### Prompt:
call(contact="[who]", device="mobile|home")

#### Parameters:
contact: string, required
device: string, optional

#### Examples:

### User: call Ann
### Assistant: call(contact="Ann")
"""


def test_calls_of_a_source_are_held_to_its_rules_as_compile_does(workspace: Workspace) -> None:
    workspace.write("params.yaml", ADOPTING)
    workspace.write("raw/mine/call.md", REQUIRING)
    workspace.write(
        "raw/logs/a.jsonl",
        '{"utterance": "call at home", "skill": "call", "arguments": {"device": "home"}}\n',
    )
    workspace.write(
        "raw/chats/a.jsonl",
        '{"utterance": "ask", "skill": "ask", "arguments": {"question": "What is new?"}}\n',
    )
    done = workspace.run("exemplars.cli.main", "lint")
    assert done.stdout.splitlines() == [
        "raw/logs/a.jsonl:1:1: missing_argument: found no contact, expected the required contact; add what is missing, "
        "or make it optional where the skill is defined"
    ]


def test_a_parameter_of_labeled_examples_that_nobody_says_is_one_finding(workspace: Workspace) -> None:
    workspace.write(
        "params.yaml", "ingest: {sources: {logs: {format: jsonl, path: raw/logs, license: MIT}}}\n"
    )
    lines = [
        f'{{"utterance": "what is {first} times {second}", "skill": "math", "arguments": {{"term": "{first}*{second}"}}}}'
        for first in range(2, 4)
        for second in range(2, 4)
    ]
    workspace.write("raw/logs/a.jsonl", "\n".join(lines))
    done = workspace.run("exemplars.cli.main", "lint")
    assert [line.split(";")[0] for line in done.stdout.splitlines()] == [
        "raw/logs/a.jsonl:1:1: value_not_found: none of the 4 values of math.term is found in its utterances"
    ]
    assert done.stderr == "1 source(s), 4 record(s), 1 problem(s)\n"
