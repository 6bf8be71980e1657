"""The examples in the documentation work as shown."""

from __future__ import annotations

import itertools
import re
import shlex
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from exemplars.cli.main import build_parser, main
from tests.conftest import PROJECT, Workspace

DOCUMENTS = sorted(
    path.relative_to(PROJECT).as_posix()
    for path in (
        *PROJECT.glob("*.md"),
        *PROJECT.glob("docs/**/*.md"),
        *(PROJECT / name for name in ("params.yaml", "dvc.yaml", "Makefile")),
    )
    if path.name != "CHANGELOG.md"
)


def blocks(path: str) -> list[str]:
    """Return the indented blocks of a document."""
    code_blocks, block = [], list[str]()
    for line in [*(PROJECT / path).read_text("utf-8").splitlines(), "end"]:
        if line.startswith("    ") or (block and not line):
            block.append(line)
        elif block:
            code_blocks.append(textwrap.dedent("\n".join(block)).strip() + "\n")
            block = []
    return code_blocks


def test_the_skill_file_of_the_document_has_no_problem(workspace: Workspace) -> None:
    workspace.write("weather.md", blocks("docs/formats/skills.md")[0])
    done = workspace.run("exemplars.cli.main", "lint", "weather.md")
    assert (done.stdout, done.stderr) == ("", "1 file(s), 2 example(s), 0 problem(s)\n")


def test_the_labeled_examples_of_the_document_become_exemplars(workspace: Workspace) -> None:
    workspace.write("data/a.jsonl", blocks("docs/formats/jsonl.md")[0])
    workspace.write(
        "params.yaml",
        "ingest: {context_turns: 4, sources: {mine: {format: jsonl, path: data, license: MIT}}}\n"
        "compile: {sources: [mine], recognizers: schemas/recognizers.json}\n",
    )
    for command in (("stages.ingest", "mine"), ("stages.compile",)):
        done = workspace.run(*command)
        assert done.returncode == 0, done.stderr
    report = (workspace.root / "reports/details/compile.json").read_text("utf-8")
    # The second line says the same as the first.
    assert '"exemplars": 7,' in report
    assert '"duplicate_exemplar": 1' in report


def test_the_instructions_of_the_document_become_rows(workspace: Workspace) -> None:
    source, data, message, *_ = blocks("docs/formats/instruct.md")
    workspace.write("data/raw/chats/a.jsonl", data)
    workspace.write("params.yaml", f"{source}validate: {{max_rejection_rate: 1.0}}\n")
    done = workspace.run("stages.ingest", "chats")
    assert done.returncode == 0, done.stderr
    records = pq.read_table(workspace.root / "data/records/chats.parquet")
    assert records.column("id").to_pylist() == [
        "chats:a.jsonl#1",
        "chats:a.jsonl#2",
        "chats:a.jsonl#2/history/0",
    ]
    rejections = pq.read_table(workspace.root / "data/records/chats.rejections.parquet")
    assert rejections.column("message").to_pylist() == [message.strip()]


def test_the_nlu_data_of_the_document_becomes_exemplars(workspace: Workspace) -> None:
    source, data, *_ = blocks("docs/formats/nlu.md")
    workspace.write("data/raw/support/nlu.yml", data)
    workspace.write(
        "params.yaml", f"{source}compile: {{sources: [support], recognizers: schemas/recognizers.json}}\n"
    )
    for command in (("stages.ingest", "support"), ("stages.compile",)):
        done = workspace.run(*command)
        assert done.returncode == 0, done.stderr
    exemplars = pq.read_table(workspace.root / "data/exemplars/exemplars.parquet").to_pylist()
    assert [(row["exemplar"], row["skill"]) for row in exemplars] == [
        ("hello", None),
        ("a table for <guests> in <city>", "book"),
        ("from <from> to <city>", "book"),
        ("when do you open?", "faq_opening_hours"),
    ]


def list_commands(text: str) -> Iterator[str]:
    """List the commands that a text shows: lines of blocks, and code in a sentence that has arguments."""
    text = re.sub(r"\\\n\s*", " ", text)
    for line in text.splitlines():
        shown = re.match(r"(?: {4,}|\t|#  +|)(?:\$ )?((?:exemplars|dvc|make) .*)", line)
        commands = [shown[1]] if shown else re.findall(r"`((?:exemplars|dvc|make) [^`]+)`", line)
        for command in commands:
            yield from re.split(r" && | \|\|? | > | # |  +#", command)[:2]


def list_documented(program: str) -> list[tuple[str, str]]:
    """List the commands of a program that a document shows, each with the document; no forms with `[` or `…`."""
    return sorted(
        {
            (path, command.strip())
            for path in DOCUMENTS
            for command in list_commands((PROJECT / path).read_text("utf-8"))
            if command.startswith(f"{program} ") and not re.search(r"[\[…]|\w\|\w", command)
        }
    )


def list_help_examples() -> list[tuple[str, str]]:
    """List the examples that `--help` shows, each with its command."""
    commands = next(action.choices for action in build_parser()._actions if isinstance(action.choices, dict))
    return [
        (f"exemplars {name} --help", re.split(r" \| | > |  +", line.strip())[0])
        for name, parser in commands.items()
        for line in (parser.epilog or "").splitlines()
        if line.startswith("  exemplars ")
    ]


EXEMPLARS = [*list_documented("exemplars"), *list_help_examples()]
DVC = list_documented("dvc")
VALID = set[str]()
"""The texts of `params.yaml` that were checked."""


def test_the_documents_show_commands() -> None:
    assert ("README.md", "exemplars lint") in EXEMPLARS
    assert ("docs/lineage.md", "exemplars diff origin/main --metrics --format markdown") in EXEMPLARS
    assert ("params.yaml", "dvc exp run -S curate.duplicates.similarity=0.85") in DVC
    assert len(EXEMPLARS) >= 30
    assert len(DVC) >= 20


@pytest.mark.parametrize(("path", "command"), EXEMPLARS)
def test_a_documented_command_of_exemplars_is_one(
    path: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = shlex.split(command)[1:]
    if (
        len(arguments) == 1 and arguments[0].islower()
    ):  # A command by its name alone: "`exemplars attest` signs".
        arguments.append("--help")
    try:
        build_parser().parse_args(arguments)
    except SystemExit as exit_:
        assert exit_.code == 0, capsys.readouterr().err


@pytest.mark.parametrize(("path", "command"), list_documented("make"))
def test_a_documented_target_is_one_of_the_makefile(path: str, command: str) -> None:
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))
    assert shlex.split(command)[1] in targets


@pytest.mark.parametrize(
    ("path", "command"), [case for case in DVC if re.match("dvc repro|dvc exp run", case[1])]
)
def test_a_documented_run_names_stages_and_changes_parameters_to_valid_values(
    path: str,
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """DVC's own code changes the copy of `params.yaml`; `tests/pipeline` runs DVC itself."""
    from dvc.utils.hydra import apply_overrides, get_hydra_sweeps

    words = shlex.split(command)
    overrides = [after for word, after in itertools.pairwise(words) if word == "-S"]
    names = [
        word for word in words[words.index("run" if "exp" in words else "repro") + 1 :] if word[0] != "-"
    ]
    stages = yaml.safe_load((PROJECT / "dvc.yaml").read_text("utf-8"))["stages"]
    assert {name.partition("@")[0] for name in names if name not in overrides} <= set(stages)
    monkeypatch.chdir(tmp_path)
    for sweep in get_hydra_sweeps({"params.yaml": overrides}):
        shutil.copy(PROJECT / "params.yaml", "params.yaml")
        before = Path("params.yaml").read_text("utf-8")
        if overrides:
            apply_overrides("params.yaml", sweep["params.yaml"])
        after = Path("params.yaml").read_text("utf-8")
        if after not in VALID:  # Most commands change nothing.
            assert (yaml.safe_load(after) != yaml.safe_load(before)) == bool(overrides)
            assert main(["check", "--parameters"]) == 0, capsys.readouterr().err
            VALID.add(after)
