"""Exports come back: the same calls from any row, the same digests from a row with its labels."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from exemplars.audit.proof.proof import prove_file
from exemplars.core import layout
from exemplars.core.digests import stamp_digest
from exemplars.core.ids import SPLITS
from exemplars.core.params import load_section
from exemplars.core.records import Argument, Exemplar, Grounding, Mode, Record, Rejection, Speaker, Turn
from exemplars.core.tables import rows_to_table, write_table
from exemplars.dataset.catalog import Skill, parse_tool_definition
from exemplars.dataset.leaves import build_arguments, encode_leaf, list_leaves
from exemplars.dataset.row_labels import drop_labels, find_labels
from exemplars.export.formats import FORMATS
from exemplars.export.split_export import encode_split
from exemplars.models.base_models import FolderBase, find_base, load_tokenizer
from exemplars.models.rows import TrainingRow
from stages.compile.exemplars import SourceRules, compile_record
from stages.compile.lexicon import Lexicon, Recognizers
from stages.ingest.chat.conversations import Conversation
from stages.ingest.chat.dialects import read_conversation
from stages.ingest.chat.records import RowPlace, build_labelled_rows, build_rows
from stages.ingest.instruct import parse_instruct_file
from stages.ingest.params import InstructSource
from stages.ingest.reading import SourceInfo
from stages.render.inputs import read_skills, read_splits
from stages.render.params import RenderParams
from stages.render.training_rows import render_split
from tests.audit.proof.test_row_checks import KEEPS_ALL
from tests.benchmarks.round_trip import SOURCES, RoundTrip, measure_round_trip
from tests.conftest import SAMPLE, Workspace
from tests.export.test_formats import SKILLS, make_exemplar
from tests.export.turns import export_turn
from tests.stage_server import StageServer
from tests.tiny import make_tokenizer, save_tiny

ARGUMENTS = "{{ a if a is string else a | tojson }}"
CALL = (
    f'{{"name": "{{{{ c.function.name }}}}", "arguments": {{% set a = c.function.arguments %}}{ARGUMENTS}}}'
)
TEXT_OR_OBJECT = KEEPS_ALL.replace("{{ c['function'] | tojson }}", CALL).replace(
    "{{c['function'] | tojson}}", CALL
)
"""OpenAI's arguments are JSON text: as Qwen's, this template writes them as they are."""
EXPECTED = {
    "trl": {
        "found a first message of the assistant, expected the user's",
        "found a result without a call, expected a call before the result",
    }
}
"""The messages of `train` begin at `render.context_turns`, and an earlier call is text of the assistant."""
SOURCE = SourceInfo("back", "MIT")
CHAT = [form for form in SOURCES if form != "alpaca"]
WORDS = st.text(min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
SAID = st.text(st.sampled_from("ab12 .é\n"), min_size=1, max_size=12).filter(
    lambda text: text.strip().isalnum()
)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9)
DISHES = st.lists(
    st.fixed_dictionaries({"name": WORDS}, optional={"count": st.integers(-(2**63), 2**63 - 1)}),
    min_size=1,
    max_size=3,
)
CALLS: st.SearchStrategy[tuple[str, dict[str, Any]]] = st.tuples(
    st.just("order"), st.fixed_dictionaries({"dishes": DISHES}, optional={"tip": NUMBERS})
) | st.tuples(
    st.just("notify"),
    st.fixed_dictionaries(
        {"who": WORDS},
        optional={"how": st.sampled_from(["mail", "phone"]), "urgent": st.booleans() | st.just("dontcare")},
    ),
)
RESULTS = st.lists(st.tuples(SAID, SAID), max_size=2).map(
    lambda pairs: tuple(
        Turn(speaker, text)
        for pair in pairs
        for speaker, text in zip((Speaker.USER, Speaker.ASSISTANT), pair, strict=True)
    )
)
CHATS = [
    {
        "messages": [
            {"role": "user", "content": f"Two {dish} and a message to {who}, and what is the weather in {city}?"},
            {
                "role": "assistant",
                "content": "I look it up.",
                "tool_calls": [
                    {"id": "a", "function": {"name": "forecast", "arguments": json.dumps({"city": city})}},
                    {"id": "b", "function": {"name": "list_dishes", "arguments": "{}"}},
                ],
            },
            {"role": "tool", "tool_call_id": "a", "content": f"Rain in {city}."},
            {"role": "tool", "tool_call_id": "b", "content": f"There is {dish}."},
            {
                "role": "assistant",
                "content": "Done.",
                "tool_calls": [
                    {"id": "c", "function": {"name": "order", "arguments": json.dumps({"dishes": dishes})}},
                    {"id": "d", "function": {"name": "notify", "arguments": json.dumps({"who": who})}},
                ],
            },
            {"role": "tool", "tool_call_id": "c", "content": "ok"},
            {"role": "tool", "tool_call_id": "d", "content": "ok"},
            {"role": "assistant", "content": f"Your {dish} come soon, and {who} knows."},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "forecast",
                    "description": "",
                    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
                },
            },
            {"type": "function", "function": {"name": "list_dishes", "description": "", "parameters": {}}},
            *(
                {"type": "function", "function": {"name": name, "description": "", "parameters": parameters}}
                for name, parameters in {
                    "order": {
                        "type": "object",
                        "properties": {
                            "dishes": {
                                "type": "array",
                                "items": {
                                    "type": "object",
                                    "properties": {"name": {"type": "string"}, "count": {"type": "integer"}},
                                },
                            }
                        },
                        "required": ["dishes"],
                    },
                    "notify": {"type": "object", "properties": {"who": {"type": "string"}}, "required": ["who"]},
                }.items()
            ),
        ],
    }
    for dish, who, city in (
        ("soup", "Ada", "Oslo"), ("stew", "Bob", "Rome"), ("pie", "Cleo", "Bonn"), ("cake", "Dan", "Graz"),
        ("toast", "Eve", "Lyon"), ("rice", "Finn", "Bath"), ("beans", "Gil", "Cork"), ("eggs", "Hal", "Kiel"),
    )
    for dishes in [[{"name": dish, "count": 2}]]
]  # fmt: skip


def make_turn(
    calls: list[tuple[str, dict[str, Any]]], utterance: str, context: tuple[Turn, ...]
) -> list[Exemplar]:
    """Make the exemplars of a turn that makes calls whose values the model composes."""
    return [
        make_exemplar(
            number,
            name,
            tuple(
                Argument(
                    path, encode_leaf(leaf, parameter), None, None, None, find_grounding(leaf, parameter)
                )
                for path, leaf, parameter in list_leaves(arguments, SKILLS[name])
            ),
            mode=Mode.EXTENDED,
            speaker=Speaker.USER,
            utterance=utterance,
            exemplar=utterance,
            reply=None,
            context=context,
        )
        for number, (name, arguments) in enumerate(calls)
    ]


def find_grounding(leaf: Any, parameter: Any) -> Grounding:
    if leaf == "dontcare":
        return Grounding.DONTCARE
    return Grounding.COMPOSED


def read_chat(document: dict[str, Any]) -> tuple[list[Record], Conversation]:
    """Read an exported row as `format: chat` does."""
    conversation = read_conversation(json.loads(json.dumps(document)))
    assert isinstance(conversation, Conversation)
    skills = index_skills(conversation)
    place = RowPlace(SOURCE, make_exemplar(0, None, ()).origin, 12)
    labels = find_labels(document)
    rows = (
        build_rows(conversation, place, skills)
        if labels is None
        else build_labelled_rows(conversation, place, skills, labels)
    )
    records = list(rows)
    assert not [row for row in records if isinstance(row, Rejection)], records
    return [row for row in records if isinstance(row, Record)], conversation


def index_skills(conversation: Conversation) -> dict[str, Skill]:
    return {skill.name: skill for skill in map(parse_tool_definition, conversation.tools)}


def compile_digests(records: list[Record], skills: dict[str, Skill]) -> list[str]:
    rules = SourceRules(composes=True)
    rows = [compile_record(record, skills, Lexicon(Recognizers({})), rules) for record in records]
    assert not [row for row in rows if isinstance(row, Rejection)], rows
    return [row.digest for row in rows if isinstance(row, Exemplar)]


@pytest.mark.parametrize("form", CHAT)
@given(calls=st.lists(CALLS, min_size=1, max_size=3), utterance=SAID, context=RESULTS)
def test_what_is_exported_is_read_with_the_same_calls_and_digests(
    form: str, calls: list[tuple[str, dict[str, Any]]], utterance: str, context: tuple[Turn, ...]
) -> None:
    exemplars = make_turn(calls, utterance, context)
    document = FORMATS[form](export_turn(exemplars, SKILLS))
    plain, conversation = read_chat(drop_labels(document))
    last = [record for record in plain if record.turn == plain[-1].turn]
    skills = index_skills(conversation)
    assert [
        (
            record.skill,
            build_arguments([(label.slot, label.value) for label in record.arguments], skills[record.skill]),
        )
        for record in last
        if record.skill is not None
    ] == calls
    labelled, _ = read_chat(document)
    assert compile_digests(labelled, skills) == [exemplar.digest for exemplar in exemplars]


@given(calls=st.lists(CALLS, min_size=1, max_size=3), utterance=SAID, context=RESULTS)
def test_instructions_come_back_as_calls(
    calls: list[tuple[str, dict[str, Any]]], utterance: str, context: tuple[Turn, ...]
) -> None:
    exemplars = make_turn(calls, utterance, context)
    line = json.dumps(FORMATS["alpaca"](export_turn(exemplars, SKILLS))).encode()
    settings = InstructSource(path="back", license="MIT")
    reading = parse_instruct_file(SOURCE, "a.jsonl", line, settings, context_turns=12)
    assert reading.rejections == ()
    skills = {skill.name: skill for skill in reading.skills}
    assert compile_digests(list(reading.records), skills) == [exemplar.digest for exemplar in exemplars]


def test_a_reply_comes_back_as_one() -> None:
    row = stamp_digest(
        msgspec.structs.replace(
            make_exemplar(0, None, ()),
            mode=Mode.NONE,
            speaker=Speaker.USER,
            utterance="Thanks",
            exemplar="Thanks",
            reply="You are welcome.",
            context=(),
        )
    )
    for form in CHAT:
        document = FORMATS[form](export_turn([row], SKILLS))
        records, conversation = read_chat(document)
        assert compile_digests(records, index_skills(conversation)) == [row.digest]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, stage_server: StageServer) -> Iterator[Path]:
    """The sample project with a source of conversations, rendered for a tiny model."""
    root = tmp_path_factory.mktemp("sample")
    shutil.copytree(SAMPLE, root, dirs_exist_ok=True)
    shutil.copytree(Path(__file__).parents[2] / "schemas", root / "schemas")
    (root / ".dvc").mkdir()
    params = yaml.safe_load((root / "params.yaml").read_bytes())
    params["ingest"]["sources"]["chats"] = {"format": "chat", "path": "chats", "license": "MIT"}
    params["compile"]["sources"].append("chats")
    params["render"] |= {"context_turns": 12, "without_tool": 0.1}
    (root / "params.yaml").write_text(yaml.safe_dump(params), "utf-8")
    (root / "chats").mkdir()
    (root / "chats/a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in CHATS), "utf-8")
    workspace = Workspace(root, stage_server.python)
    for name in params["ingest"]["sources"]:
        assert workspace.run("stages.ingest", name).returncode == 0
    for stage in ("compile", "curate", "split"):
        done = workspace.run(f"stages.{stage}")
        assert done.returncode == 0, done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        tokenizer = load_tokenizer(find_base(FolderBase(path=str(save_tiny(root / "base")), license="MIT")))
        for split, rows in read_splits().items():
            rendered = render_split(
                rows, split, read_skills(), tokenizer, load_section("render", RenderParams), 4000
            )
            write_table(layout.training(split), rows_to_table(rendered.rows, TrainingRow))
        yield root


@pytest.mark.parametrize("form", SOURCES)
def test_all_digests_of_a_project_come_back(form: str, project: Path, stage_server: StageServer) -> None:
    trip = measure_round_trip(project, form, str(stage_server.python))
    assert trip.exported > 300
    assert trip == RoundTrip(trip.exported, trip.exported, 0, trip.reasons)
    assert set(trip.reasons) <= {"duplicate_exemplar"}


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "alpaca"])
def test_an_export_is_proved(
    form: str, project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(project)
    base = tmp_path / "base"
    make_tokenizer(TEXT_OR_OBJECT if form in ("openai", "bfcl") else KEEPS_ALL).save_pretrained(str(base))
    for split in SPLITS:
        path = tmp_path / f"{split}.jsonl"
        path.write_bytes(encode_split(split, form))
        report = prove_file(path, str(base), None)
        messages = {finding.message for proof in report.proofs for finding in proof.findings}
        assert messages <= EXPECTED.get(form, set())
