"""The examples in the documentation work as shown."""

from __future__ import annotations

import textwrap

from tests.conftest import PROJECT, Workspace


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
    report = (workspace.root / "reports/compile.json").read_text("utf-8")
    # The second line says the same as the first.
    assert '"exemplars": 3,' in report
    assert '"duplicate_exemplar": 1' in report
