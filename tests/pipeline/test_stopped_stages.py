"""A stage that rejects too much stops there, having written what it found."""

from __future__ import annotations

from tests.conftest import Workspace

PARAMS = """\
ingest: {context_turns: 4, sources: {tools: {format: jsonl, path: raw, license: MIT}}}
compile: {sources: [tools], recognizers: schemas/recognizers.json}
"""


def test_forty_of_forty_rejected_records_stop_compile(workspace: Workspace) -> None:
    workspace.write("params.yaml", PARAMS)
    line = '{"utterance": "book a room (%d)", "skill": "book_room", "arguments": {"city": "Rome"}}\n'
    workspace.write("raw/calls.jsonl", "".join(line % number for number in range(40)))
    assert workspace.run("stages.ingest", "tools").returncode == 0
    done = workspace.run("stages.compile")
    assert done.returncode == 1
    assert (
        "source tools: 40 of 40 (100 %) rejected: value_not_found 40; at most 10 % (validate.max_rejection_rate)"
        in done.stderr
    )
    assert (workspace.root / "data/exemplars/rejections.parquet").is_file()


def test_records_that_no_reader_understands_stop_ingest(workspace: Workspace) -> None:
    workspace.write("params.yaml", PARAMS + "validate:\n  max_rejection_rate: 0.5\n")
    workspace.write("raw/calls.jsonl", '{"utterance": "hello"}\n' + '{"text": "hello"}\n' * 3)
    done = workspace.run("stages.ingest", "tools")
    assert done.returncode == 1
    assert "params.yaml:4: max_rejection_rate: source tools: 3 of 4 (75 %) rejected" in done.stderr
    assert (workspace.root / "data/records/tools.rejections.parquet").is_file()
