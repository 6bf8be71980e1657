"""Public tool-call data through `ingest` and `compile`, with parameters alone: every call is accounted for."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from exemplars.core.records import Exemplar, Record, Rejection
from exemplars.core.turns import group_by_turn
from exemplars.dataset.catalog import Skill, read_catalog
from exemplars.dataset.leaves import build_arguments, rank_path
from exemplars.dataset.row_tables import exemplars_from_table, records_from_table, rejections_from_table
from exemplars.models.call_matching import ExpectedCall
from exemplars.models.calls import Call, CallFormat, format_calls, parse_calls
from exemplars.models.grammar import build_call_grammar
from exemplars.models.scoring import ErrorKind, ExpectedAnswer, score_prediction
from tests.conftest import PROJECT, Workspace
from tests.stage_server import StageServer

ARCHIVE = Path(os.environ.get("REAL_ARCHIVE", PROJECT.parent / "shared/real/real.tar.xz"))
PARAMS = """\
ingest:
  sources:
    calls: {format: chat, path: raw, license: Apache-2.0}
compile: {}
"""
SHAREGPT = "sharegpt/glaive_toolcall_en_demo.json"

pytestmark = pytest.mark.skipif(
    not ARCHIVE.is_file(), reason="real.tar.xz is missing: set REAL_ARCHIVE to its path"
)


class Compiled:
    """The real files, and what is made of them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.skills: dict[str, Skill] = {
            skill.name: skill for skill in read_catalog(root / "data/exemplars/catalog.json")
        }
        self.exemplars: list[Exemplar] = exemplars_from_table(
            pq.read_table(root / "data/exemplars/exemplars.parquet")
        )
        self.records: list[Record] = records_from_table(pq.read_table(root / "data/records/calls.parquet"))
        self.rejections: list[Rejection] = rejections_from_table(
            pq.read_table(root / "data/exemplars/rejections.parquet")
        )

    def count_rows(self, path: str) -> int:
        return sum(row.origin.path == path for row in (*self.exemplars, *self.rejections))

    def list_rows(self, folder: str) -> list[Record | Exemplar]:
        """List what `ingest` and what `compile` made of the files of a folder."""
        return [row for row in (*self.records, *self.exemplars) if row.origin.path.startswith(folder)]

    def build_call(self, row: Record | Exemplar) -> Any:
        assert row.skill is not None
        leaves = [(argument.slot, argument.value) for argument in row.arguments]
        return {"name": row.skill, "arguments": build_arguments(leaves, self.skills[row.skill])}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory, stage_server: StageServer) -> Compiled:
    workspace = Workspace(tmp_path_factory.mktemp("real"), stage_server.python)
    shutil.copytree(PROJECT / "schemas", workspace.root / "schemas")
    with tarfile.open(ARCHIVE) as archive:
        for member in archive.getmembers():
            name = member.name.removeprefix("real/")
            if member.isfile() and name.startswith(("bfcl/", "sharegpt/")):
                content = archive.extractfile(member)
                assert content is not None
                workspace.write(f"raw/{name}", content.read().decode())
    workspace.write("params.yaml", PARAMS)
    for command in (("stages.ingest", "calls"), ("stages.compile",)):
        done = workspace.run(*command)
        assert done.returncode == 0, done.stderr
    return Compiled(workspace.root)


def read_lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def list_bfcl(root: Path) -> Iterator[tuple[str, list[Any]]]:
    """List the files of questions, each with the answers to its rows, in their order; `None`: no call is right."""
    for path in sorted((root / "raw/bfcl").glob("*.json")):
        answers = path.parent / "possible_answer" / path.name
        by_id = {row["id"]: row["ground_truth"] for row in read_lines(answers)} if answers.is_file() else {}
        yield f"bfcl/{path.name}", [by_id.get(row["id"]) for row in read_lines(path)]


def test_every_call_of_every_file_is_a_row_or_a_rejection(compiled: Compiled) -> None:
    counted = {
        path: sum(1 if calls is None else len(calls) for calls in answers)
        for path, answers in list_bfcl(compiled.root)
    }
    conversations = json.loads((compiled.root / "raw" / SHAREGPT).read_text())
    counted[SHAREGPT] = sum(
        message["from"] in ("gpt", "function_call")
        for row in conversations
        for message in row["conversations"]
    )
    assert counted == {
        "bfcl/BFCL_v4_irrelevance.json": 240,
        "bfcl/BFCL_v4_live_simple.json": 258,
        "bfcl/BFCL_v4_multiple.json": 200,
        "bfcl/BFCL_v4_parallel.json": 540,
        "bfcl/BFCL_v4_simple_python.json": 400,
        SHAREGPT: 957,
    }
    assert {path: compiled.count_rows(path) for path in counted} == counted
    assert len(compiled.exemplars) + len(compiled.rejections) == sum(counted.values())


def test_ingest_rejects_two_calls_and_compile_what_repeats_or_contradicts(compiled: Compiled) -> None:
    assert Counter(
        (row.origin.path.partition("/")[0], row.stage, row.reason.value) for row in compiled.rejections
    ) == {
        ("bfcl", "compile", "conflicting_label"): 35,
        ("bfcl", "compile", "duplicate_exemplar"): 89,
        ("bfcl", "ingest", "invalid_value"): 1,
        ("sharegpt", "compile", "conflicting_label"): 32,
        ("sharegpt", "compile", "duplicate_exemplar"): 136,
        ("sharegpt", "ingest", "invalid_value"): 1,
    }
    assert sorted(row.message.partition(": ")[0] for row in compiled.rejections if row.stage == "ingest") == [
        "bfcl/possible_answer/BFCL_v4_live_simple.json:72#/ground_truth/0/arguments/metrics",
        "sharegpt/glaive_toolcall_en_demo.json#/259/conversations/3/tool_calls/0/arguments/calories_per_item",
    ]


def test_every_call_of_sharegpt_comes_back(compiled: Compiled) -> None:
    conversations = json.loads((compiled.root / "raw" / SHAREGPT).read_text())
    checked = 0
    for row in compiled.list_rows("sharegpt/"):
        if row.skill is not None:
            _, conversation, _, message, *_ = row.origin.locator.split("/")
            source = conversations[int(conversation)]["conversations"][int(message)]["value"]
            assert json.dumps(compiled.build_call(row)) == json.dumps(json.loads(source))
            checked += isinstance(row, Record)
    assert checked == 210


def is_accepted(value: Any, accepted: Any) -> bool:
    """Return whether a value is one that an answer of BFCL accepts; objects in it have lists of values themselves."""
    if not isinstance(accepted, list) or not accepted:
        return is_same(value, accepted)
    return any(is_same(value, other) for other in accepted)


def is_same(value: Any, other: Any) -> bool:
    if isinstance(other, dict):
        return (
            isinstance(value, dict)
            and not value.keys() - other.keys()
            and all(
                is_accepted(value[name], other[name]) if name in value else "" in other[name]
                for name in other
            )
        )
    if isinstance(other, list):
        pairs = zip(value, other, strict=False) if isinstance(value, list) else ()
        return isinstance(value, list) and len(value) == len(other) and all(is_same(*pair) for pair in pairs)
    return type(value) is type(other) and bool(value == other)


def test_every_call_of_bfcl_is_accepted_by_its_answer(compiled: Compiled) -> None:
    answers = dict(list_bfcl(compiled.root))
    checked = 0
    for row in compiled.list_rows("bfcl/"):
        line, *pointer = row.origin.locator.split("/")
        calls = answers[row.origin.path][int(line) - 1]
        if calls is None:
            assert (row.mode.value, row.skill, row.reply) == ("none", None, None)
            continue
        [(name, accepted)] = calls[int(pointer[-1])].items()
        call = compiled.build_call(row)
        assert call["name"] == name
        assert is_same(call["arguments"], accepted), (call, accepted)
        checked += isinstance(row, Record)
    assert checked == 1397


def test_most_values_are_said(compiled: Compiled) -> None:
    shares = {}
    for folder in ("bfcl/", "sharegpt/"):
        counts = Counter(
            argument.grounding.value
            for row in compiled.exemplars
            if row.origin.path.startswith(folder)
            for argument in row.arguments
        )
        shares[folder] = 1 - counts["composed"] / counts.total()
    assert shares["bfcl/"] > 0.75
    assert shares["sharegpt/"] > 0.75


def build_ranked_call(row: Exemplar, skill: Skill) -> tuple[Call, ExpectedCall]:
    """Build the call of a row as prompts have it, and as predictions are compared with it."""
    arguments = sorted(row.arguments, key=lambda argument: rank_path(argument.slot, skill))
    call = build_arguments([(argument.slot, argument.value) for argument in arguments], skill)
    accepted = {argument.slot: (argument.value, *argument.accepted) for argument in arguments}
    return Call(skill.name, call), ExpectedCall(skill.name, accepted, dict.fromkeys(accepted, ""))


@pytest.mark.parametrize("form", list(CallFormat))
def test_the_calls_of_every_turn_are_written_read_admitted_and_right(
    compiled: Compiled, form: CallFormat
) -> None:
    xgrammar = pytest.importorskip("xgrammar")
    vocabulary = [bytes([byte]) for byte in range(256)] + ["</s>"]
    compiler = xgrammar.GrammarCompiler(xgrammar.TokenizerInfo(vocabulary, stop_token_ids=[256]))
    turns = group_by_turn(row for row in compiled.exemplars if row.skill is not None)
    for rows in turns.values():
        tools = {skill.name: skill for row in rows for skill in [compiled.skills[str(row.skill)]]}
        built = [build_ranked_call(row, tools[str(row.skill)]) for row in rows]
        calls, expected = tuple(call for call, _ in built), tuple(call for _, call in built)
        text = format_calls(calls, form)
        assert repr(parse_calls(text, form)) == repr(calls)
        grammar = xgrammar.Grammar.from_ebnf(build_call_grammar(list(tools.values()), form))
        matcher = xgrammar.GrammarMatcher(compiler.compile_grammar(grammar))
        assert matcher.accept_string(text) and matcher.accept_token(256), text
        answer = ExpectedAnswer(expected, frozenset(tools))
        assert score_prediction(text, True, answer, tools, form).kind == ErrorKind.RIGHT, text
    assert len(turns) == 1088
