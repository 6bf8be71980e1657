"""Of an erased row only its place and the keyed hash of its text are left, in the ledger."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exemplars.core.errors import UserError
from exemplars.dataset.row_tables import rejections_from_table, select_templates
from stages.ingest.params import (
    ChatSource,
    IngestParams,
    InstructSource,
    NluSource,
    OpencuiSource,
    SgdSource,
    SkillsSource,
)
from stages.ingest.sources import read_source
from stages.ingest.tombstones import Erasures, Tombstone, hash_with_key
from tests.ingest.opencui.bots import NURSERY, write_bot

KEY = b"a key of the tests"
SKILL = """#### Prompt:
call(contact="[who]")
Rings somebody.

#### Examples:

### User: ring Ada Byron
### Assistant: call(contact="Ada Byron")

### User: ring the office
### Assistant: call(contact="the office")
"""
SCHEMA = [
    {
        "service_name": "Cafes_1",
        "description": "d",
        "slots": [
            {"name": "town", "description": "d", "is_categorical": False, "possible_values": []},
        ],
        "intents": [
            {
                "name": "FindCafe",
                "description": "d",
                "is_transactional": False,
                "required_slots": ["town"],
                "optional_slots": {},
                "result_slots": ["town"],
            }
        ],
    }
]


def tombstone(**rule: str) -> Tombstone:
    return Tombstone(id="t1", reviewer="Kim", reason="asked for it", **rule)  # type: ignore[arg-type]


def write_skills(root: Path, text: str) -> IngestParams:
    (root / "call.md").write_text(text, "utf-8")
    return IngestParams(
        context_turns=12, sources={"skills": SkillsSource(path=str(root), license="Apache-2.0")}
    )


def dialogue(name: str, *ways: str) -> dict[str, object]:
    turn = {
        "speaker": "USER",
        "utterance": f"A café in {ways[0]}, please.",
        "frames": [
            {
                "service": "Cafes_1",
                "actions": [
                    {"act": "INFORM", "slot": "town", "values": [ways[0]], "canonical_values": [ways[0]]}
                ],
                "slots": [],
                "state": {
                    "active_intent": "FindCafe",
                    "requested_slots": [],
                    "slot_values": {"town": list(ways)},
                },
            }
        ],
    }
    return {"dialogue_id": name, "services": ["Cafes_1"], "turns": [turn]}


def test_an_erased_row_leaves_only_its_place_and_a_keyed_hash(tmp_path: Path) -> None:
    params = write_skills(tmp_path, SKILL)
    tables = read_source("skills", params, 1, Erasures((tombstone(pattern="Ada"),), KEY))
    assert tables.records.column("utterance").to_pylist() == ["ring the office"]
    (row,) = rejections_from_table(tables.rejections)
    assert (row.id, row.reason, row.utterance, row.skill) == ("skills:call.md#7", "erased", None, None)
    assert (
        row.message
        == f"call.md:7: erased by the tombstone t1; hmac-sha256 {hash_with_key('ring Ada Byron', KEY)}"
    )


def test_a_redacted_pair_stays_in_the_ledger_with_the_hash_that_its_tombstone_remembers(
    tmp_path: Path,
) -> None:
    text = SKILL.replace("ring Ada Byron", "[erased]").replace('call(contact="Ada Byron")', "[erased]")
    remembering = Tombstone(
        id="t1", pattern="Ada", reviewer="Kim", reason="r", redacted={"skills:call.md#7": "f" * 64}
    )
    tables = read_source("skills", write_skills(tmp_path, text), 1, Erasures((remembering,), None))
    (row,) = rejections_from_table(tables.rejections)
    assert (row.id, row.message) == (
        "skills:call.md#7",
        f"call.md:7: erased by the tombstone t1; hmac-sha256 {'f' * 64}",
    )


def test_nothing_is_learned_from_an_erased_example(tmp_path: Path) -> None:
    (tmp_path / "nlu.yml").write_text(
        "nlu:\n- intent: ring\n  examples: |\n    - ring [555-0101](number)\n    - ring [555-0202](number) now\n"
        "- regex: number\n  examples: |\n    - 555-\\d+\n",
        "utf-8",
    )
    source = NluSource(path=str(tmp_path), license="MIT")
    tables = read_source(
        "nlu",
        IngestParams(context_turns=12, sources={"nlu": source}),
        1,
        Erasures((tombstone(place="nlu:nlu.yml#4"),), KEY),
    )
    assert tables.records.column("utterance").to_pylist() == ["ring 555-0202 now"]
    (recognizer,) = tables.recognizers.recognizers.values()
    assert [instance.label for instance in recognizer.instances] == ["555-0202"]


@pytest.mark.parametrize("rule", [{"place": "bots:exemplars.json#/OrderPlants/4"}, {"pattern": "reserve"}])
def test_a_template_without_values_is_erased_like_a_record(tmp_path: Path, rule: dict[str, str]) -> None:
    for name, data in write_bot(NURSERY).items():
        (tmp_path / name).write_bytes(data)
    source = OpencuiSource(path=str(tmp_path), license="MIT", instances_a_template=1)
    params = IngestParams(context_turns=12, sources={"bots": source})
    tables = read_source("bots", params, 1, Erasures((tombstone(**rule),), KEY))
    assert select_templates(tables.records).column("template").to_pylist() == [
        "write <plants[0].labels[0]> and <plants[0].labels[1]> on the <plants[0].species>"
    ]
    (row,) = rejections_from_table(tables.rejections)
    assert (row.id, row.utterance) == ("bots:exemplars.json#/OrderPlants/4", None)


def test_a_value_in_a_reply_is_erased(tmp_path: Path) -> None:
    lines = [
        {"prompt": "who called?", "completion": "Ada Byron did."},
        {"prompt": "hi", "completion": "Hello."},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    source = InstructSource(path=str(tmp_path), license="MIT")
    params = IngestParams(context_turns=12, sources={"chats": source})
    value = hash_with_key("ada byron", KEY)
    tables = read_source("chats", params, 1, Erasures((tombstone(value=value),), KEY))
    assert tables.records.column("reply").to_pylist() == ["Hello."]


def test_conversations_are_erased_as_a_whole(tmp_path: Path) -> None:
    def converse(name: str, reply: str) -> str:
        texts = (("user", f"Who is {name}?"), ("assistant", reply), ("user", "Thanks"), ("assistant", "Bye"))
        return json.dumps({"messages": [{"role": role, "content": text} for role, text in texts]})

    lines = (
        converse("he", "A friend of Ada Byron."),
        converse("Ben", "A baker."),
        '{"messages": Ada Byron}',
        "{}",
    )
    (tmp_path / "a.jsonl").write_text("\n".join(lines), "utf-8")
    source = ChatSource(path=str(tmp_path), license="MIT")
    params = IngestParams(context_turns=0, sources={"chats": source})
    value = hash_with_key("ada byron", KEY)
    tables = read_source("chats", params, 1, Erasures((tombstone(value=value),), KEY))
    assert tables.records.column("reply").to_pylist() == ["A baker.", "Bye"]
    rejected = {row.id: row.reason.value for row in rejections_from_table(tables.rejections)}
    assert rejected == {
        "chats:a.jsonl#1/messages/1": "erased",
        "chats:a.jsonl#1/messages/3": "erased",
        "chats:a.jsonl#3": "erased",
        "chats:a.jsonl#4": "malformed_record",
    }


def test_nothing_is_learned_from_an_erased_dialogue(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "schema.json").write_text(json.dumps(SCHEMA), "utf-8")
    dialogues = [dialogue("1_0", "Saint Ives", "Ives"), dialogue("1_1", "Big Smoke", "London")]
    (tmp_path / "train" / "dialogues_001.json").write_text(json.dumps(dialogues), "utf-8")
    source = SgdSource(path=str(tmp_path), license="CC-BY-SA-4.0", splits=("train",))
    tables = read_source(
        "sgd",
        IngestParams(context_turns=12, sources={"sgd": source}),
        1,
        Erasures((tombstone(dialogue="1_0"),), KEY),
    )
    assert tables.records.column("group").to_pylist() == ["sgd:train/1_1"]
    (recognizer,) = tables.recognizers.recognizers.values()
    assert [instance.label for instance in recognizer.instances] == ["Big Smoke", "London"]


def test_a_missing_key_stops_the_erasure_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="EXEMPLARS_ERASURE_KEY is not set, and a tombstone needs it"):
        read_source("skills", write_skills(tmp_path, SKILL), 1, Erasures((tombstone(pattern="Ada"),), None))
