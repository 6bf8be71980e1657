from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from exemplars.core.documents import keeps_all_keys
from exemplars.core.errors import UserError
from exemplars.core.records import LabelledArgument, Mode, Reason, Record, Rejection, Speaker, Turn
from exemplars.dataset.row_tables import records_from_table, rejections_from_table
from stages.ingest.params import OnBadFile, SgdSource
from stages.ingest.reading import SourceInfo
from stages.ingest.sgd.dialogues import Dialogue
from stages.ingest.sgd.source import stream_sgd_source
from stages.ingest.source_files import SourceStream, SourceTables

SCHEMA: list[dict[str, Any]] = [
    {
        "service_name": "Boats_1",
        "description": "Boat trips",
        "slots": [
            {"name": "harbour", "description": "where from", "is_categorical": False, "possible_values": []},
            {"name": "seats", "description": "", "is_categorical": True, "possible_values": ["1", "2"]},
            {"name": "covered", "is_categorical": True, "possible_values": ["True", "False"]},
            {"name": "boat", "is_categorical": False, "possible_values": []},
            {"name": "price", "is_categorical": False, "possible_values": []},
        ],
        "intents": [
            {
                "name": "FindBoat",
                "description": "Find a boat",
                "required_slots": ["harbour"],
                "optional_slots": {"covered": "dontcare"},
                "result_slots": ["harbour", "boat", "price"],
            },
            {
                "name": "BookBoat",
                "description": "Book a boat",
                "required_slots": ["boat", "seats"],
                "optional_slots": {},
                "result_slots": ["boat"],
            },
        ],
    }
]


def action(act: str, slot: str = "", *values: str, canonical: str | None = None) -> dict[str, Any]:
    spoken = list(values)
    return {
        "act": act,
        "slot": slot,
        "values": spoken,
        "canonical_values": spoken if canonical is None else [canonical],
    }


def user(
    text: str,
    *actions: dict[str, Any],
    intent: str = "FindBoat",
    spans: list[tuple[str, int, int]] | None = None,
    service: str = "Boats_1",
    **values: list[str],
) -> dict[str, Any]:
    frame = {
        "service": service,
        "actions": list(actions),
        "slots": [{"slot": slot, "start": start, "exclusive_end": end} for slot, start, end in spans or []],
        "state": {"active_intent": intent, "requested_slots": [], "slot_values": values},
    }
    return {"speaker": "USER", "utterance": text, "frames": [frame]}


def system(text: str, *actions: dict[str, Any]) -> dict[str, Any]:
    frame = {"service": "Boats_1", "actions": list(actions), "slots": []}
    return {"speaker": "SYSTEM", "utterance": text, "frames": [frame]}


def dialogue(*turns: dict[str, Any], name: str = "1_00000") -> dict[str, Any]:
    return {"dialogue_id": name, "services": ["Boats_1"], "turns": list(turns)}


def release(root: Path, *dialogues: Any, schema: Any = SCHEMA, split: str = "train") -> Path:
    folder = root / split
    folder.mkdir(parents=True, exist_ok=True)
    if schema is not None:
        (folder / "schema.json").write_bytes(msgspec.json.encode(schema))
    (folder / "dialogues_001.json").write_bytes(msgspec.json.encode(list(dialogues)))
    return root


def read(root: Path, on_bad_file: OnBadFile = OnBadFile.FAIL, workers: int = 1) -> SourceTables:
    source = SgdSource(path=str(root), license="MIT", splits=("train",), on_bad_file=on_bad_file)
    return SourceStream(
        stream_sgd_source(root, source, SourceInfo("sgd", "MIT", "2019-03-01"), 4, workers)
    ).collect()


def rows(root: Path, **options: Any) -> tuple[list[Record], list[Rejection]]:
    tables = read(root, **options)
    return records_from_table(tables.records), rejections_from_table(tables.rejections)


ASK = user(
    "Boats from Kiel, two of us",
    action("INFORM_INTENT", "intent", "FindBoat"),
    action("INFORM", "harbour", "Kiel"),
    spans=[("harbour", 11, 15)],
    harbour=["Kiel"],
)
OFFER = system("The Gull?", action("OFFER", "boat", "the Gull", canonical="Gull"))


def test_a_request_becomes_a_record_with_the_given_spans(tmp_path: Path) -> None:
    records, rejections = rows(release(tmp_path, dialogue(ASK)))
    assert rejections == []
    [record] = records
    assert (record.id, record.skill, record.service, record.mode) == (
        "sgd:train/dialogues_001.json#/0/turns/0/frames/0",
        "Boats_1_FindBoat",
        "Boats_1",
        Mode.NORMAL,
    )
    assert record.arguments == (LabelledArgument("harbour", "Kiel", ("Kiel",), 11, 15),)
    assert (record.group, record.split, record.today) == ("sgd:train/1_00000", "train", "2019-03-01")


def test_an_accepted_offer_is_an_extended_record_with_the_canonical_value(tmp_path: Path) -> None:
    accept = user("Yes, that one", action("SELECT"), harbour=["Kiel"], boat=["the Gull"])
    records, _ = rows(release(tmp_path, dialogue(ASK, OFFER, accept)))
    accepted = next(record for record in records if record.utterance == "Yes, that one")
    assert accepted.mode is Mode.EXTENDED
    assert accepted.arguments == (LabelledArgument("boat", "Gull", ("the Gull",), context=True),)
    assert accepted.context == (
        Turn(Speaker.USER, "Boats from Kiel, two of us"),
        Turn(Speaker.ASSISTANT, "The Gull?"),
    )


def test_a_different_way_to_say_a_known_value_is_not_a_new_value(tmp_path: Path) -> None:
    confirm = user("Right.", action("AFFIRM"), harbour=["Kiel", "Port of Kiel"])
    _, rejections = rows(release(tmp_path, dialogue(ASK, OFFER, confirm)))
    assert [(rejection.reason, rejection.utterance) for rejection in rejections] == [
        (Reason.NO_NEW_MEANING, "Right.")
    ]


def test_a_declined_intent_is_a_negative_record(tmp_path: Path) -> None:
    offer = system("Shall I book it?", action("OFFER_INTENT", "intent", "BookBoat"))
    decline = user("Not now.", action("NEGATE_INTENT"), intent="NONE", harbour=["Kiel"])
    records, _ = rows(release(tmp_path, dialogue(ASK, offer, decline)))
    assert [(record.mode, record.skill) for record in records] == [
        (Mode.NORMAL, "Boats_1_FindBoat"),
        (Mode.NEGATIVE, "Boats_1_BookBoat"),
    ]


def test_a_turn_that_asks_for_nothing_has_mode_none(tmp_path: Path) -> None:
    thanks = user("Thanks, bye", action("THANK_YOU"), action("GOODBYE"), harbour=["Kiel"])
    records, _ = rows(release(tmp_path, dialogue(ASK, OFFER, thanks)))
    assert [(record.mode, record.skill) for record in records if record.utterance == "Thanks, bye"] == [
        (Mode.NONE, None)
    ]


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("REQUEST", Reason.ASKS_ABOUT_RESULT),
        ("REQUEST_ALTS", Reason.ASKS_ALTERNATIVES),
        ("AFFIRM", Reason.NO_NEW_MEANING),
    ],
)
def test_a_turn_that_fills_no_slot_is_out_of_scope_with_its_reason(
    tmp_path: Path, act: str, reason: Reason
) -> None:
    turn = user("And?", action(act, "price"), harbour=["Kiel"])
    _, rejections = rows(release(tmp_path, dialogue(ASK, OFFER, turn)))
    assert [rejection.reason for rejection in rejections] == [reason]


def test_of_two_frames_that_ask_for_nothing_only_the_first_is_kept(tmp_path: Path) -> None:
    turn = user("Bye", action("GOODBYE"), intent="NONE")
    turn["frames"].append(dict(turn["frames"][0]))
    records, rejections = rows(release(tmp_path, dialogue(turn)))
    assert [record.id[-8:] for record in records] == ["frames/0"]
    assert [(rejection.id[-8:], rejection.reason) for rejection in rejections] == [
        ("frames/1", Reason.MEANING_IN_OTHER_FRAME)
    ]


def test_a_frame_that_asks_for_nothing_in_a_turn_that_asks_for_something_is_out_of_scope(
    tmp_path: Path,
) -> None:
    turn = user("Thanks, and a boat", action("THANK_YOU"), intent="NONE")
    turn["frames"].append(ASK["frames"][0])
    records, rejections = rows(release(tmp_path, dialogue(turn)))
    assert [record.skill for record in records] == ["Boats_1_FindBoat"]
    assert [rejection.reason for rejection in rejections] == [Reason.MEANING_IN_OTHER_FRAME]


def test_context_is_bounded(tmp_path: Path) -> None:
    turns = [turn for _ in range(5) for turn in (ASK, OFFER)]
    records, _ = rows(release(tmp_path, dialogue(*turns, user("Bye", action("GOODBYE")))))
    assert max(len(record.context) for record in records) == 4


def test_the_catalog_has_a_skill_for_each_intent(tmp_path: Path) -> None:
    skills = read(release(tmp_path, dialogue(ASK))).skills
    signatures = [
        (
            skill.name,
            [
                (parameter.name, parameter.type, parameter.enum, parameter.needed, parameter.dontcare)
                for parameter in skill.parameters
            ],
        )
        for skill in skills
    ]
    assert signatures == [
        (
            "Boats_1_FindBoat",
            [
                ("harbour", "string", (), True, False),
                ("covered", "boolean", (), False, True),
                ("boat", "string", (), False, False),
            ],
        ),
        (
            "Boats_1_BookBoat",
            [("boat", "string", (), True, False), ("seats", "string", ("1", "2"), True, True)],
        ),
    ]
    # A turn gives some of the required slots, and the dialogue asks for the others.
    assert not any(parameter.required for skill in skills for parameter in skill.parameters)


@pytest.mark.parametrize(
    ("turn", "reason", "message"),
    [
        (
            user("x", action("INFORM", "mast", "tall"), mast=["tall"]),
            Reason.UNKNOWN_SLOT,
            "slot 'mast', expected one of harbour, seats, covered, boat, price",
        ),
        (
            user("x", action("INFORM_INTENT", "intent", "Sink"), intent="Sink"),
            Reason.UNKNOWN_SKILL,
            "intent 'Sink', expected one of FindBoat, BookBoat",
        ),
        (user("x", action("GOODBYE"), service="Cars_1"), Reason.UNKNOWN_SERVICE, "service 'Cars_1'"),
    ],
)
def test_a_frame_with_a_name_that_is_not_in_the_schema_is_rejected(
    tmp_path: Path, turn: dict[str, Any], reason: Reason, message: str
) -> None:
    _, rejections = rows(release(tmp_path, dialogue(turn)))
    assert [rejection.reason for rejection in rejections] == [reason]
    assert message in rejections[0].message


def test_a_user_turn_without_a_frame_is_rejected(tmp_path: Path) -> None:
    turn = {"speaker": "USER", "utterance": "Hm", "frames": []}
    _, rejections = rows(release(tmp_path, dialogue(turn)))
    assert [(rejection.reason, rejection.id) for rejection in rejections] == [
        (Reason.MALFORMED_RECORD, "sgd:train/dialogues_001.json#/0/turns/0")
    ]


def test_a_dialogue_of_a_wrong_shape_is_rejected_and_the_others_are_read(tmp_path: Path) -> None:
    records, rejections = rows(release(tmp_path, {"dialogue_id": 7, "turns": []}, dialogue(ASK)))
    assert len(records) == 1
    assert [(rejection.id, rejection.reason) for rejection in rejections] == [
        ("sgd:train/dialogues_001.json#/0", Reason.MALFORMED_RECORD)
    ]
    assert "expected `str`, got `int` - at `$[0].dialogue_id`" in rejections[0].message


def test_the_rows_of_a_repeated_dialogue_id_are_rejected(tmp_path: Path) -> None:
    records, rejections = rows(release(tmp_path, dialogue(ASK), dialogue(ASK), dialogue(ASK, name="1_00001")))
    assert [record.group for record in records] == ["sgd:train/1_00000", "sgd:train/1_00001"]
    assert [rejection.reason for rejection in rejections] == [Reason.DUPLICATE_RECORD]
    assert (
        "found dialogue id '1_00000' again, after train/dialogues_001.json#/0, expected a unique id"
        in rejections[0].message
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"dialogues_001.json, byte 0: empty_file"),
        (b"[{", r"dialogues_001.json, byte 2: not_json: not a list of dialogues: input data was truncated"),
        (b"[1, 2} ", r"dialogues_001.json, byte 5: not_json: not a list of dialogues: JSON is malformed"),
        (
            b'{"a": 1}',
            r"dialogues_001.json, byte 0: wrong_shape: not a list of dialogues: expected `array`, got `object`",
        ),
        (b'[{"dialogue_id": "\xff"}]', r"dialogues_001.json, byte 18: not_utf8"),
    ],
)
def test_a_file_that_cannot_be_read_fails_with_its_path_and_byte(
    tmp_path: Path, content: bytes, message: str
) -> None:
    root = release(tmp_path, dialogue(ASK))
    (root / "train" / "dialogues_001.json").write_bytes(content)
    with pytest.raises(UserError, match=message):
        read(root)


def test_a_schema_that_is_not_utf8_is_reported_with_its_byte(tmp_path: Path) -> None:
    root = release(tmp_path, dialogue(ASK))
    (root / "train" / "schema.json").write_bytes(b'[{"service_name": "\xb0"}]')
    with pytest.raises(UserError, match=r"train/schema.json, byte 19: not_utf8"):
        read(root)


def test_a_file_that_cannot_be_read_is_rejected_if_the_source_says_so(tmp_path: Path) -> None:
    root = release(tmp_path, dialogue(ASK))
    (root / "train" / "dialogues_002.json").write_bytes(b"[{")
    records, rejections = rows(root, on_bad_file=OnBadFile.REJECT)
    assert len(records) == 1
    assert [(rejection.id, rejection.reason) for rejection in rejections] == [
        ("sgd:train/dialogues_002.json#", Reason.UNREADABLE_FILE)
    ]


def test_a_schema_with_a_key_twice_in_one_object_is_reported(tmp_path: Path) -> None:
    root = release(tmp_path, dialogue(ASK))
    (root / "train" / "schema.json").write_bytes(b'[{"service_name": "A", "slots": [], "slots": []}]')
    with pytest.raises(
        UserError, match=r"train/schema.json:1:37: repeated_key: found the key 'slots' twice in one"
    ):
        read(root)


def test_a_dialogue_with_a_key_twice_in_one_object_is_rejected_and_the_others_are_read(
    tmp_path: Path,
) -> None:
    root = release(tmp_path, dialogue(ASK), dialogue(ASK, name="1_00001"))
    path = root / "train" / "dialogues_001.json"
    path.write_bytes(
        path.read_bytes().replace(b'"harbour":["Kiel"]', b'"harbour":["Rome"],"harbour":["Kiel"]', 1)
    )
    records, [rejection] = rows(root)
    assert [record.id for record in records] == ["sgd:train/dialogues_001.json#/1/turns/0/frames/0"]
    assert (rejection.id, rejection.reason, rejection.message) == (
        "sgd:train/dialogues_001.json#/0",
        Reason.MALFORMED_RECORD,
        "train/dialogues_001.json#/0: found the key 'harbour' twice in one object, expected each key once; "
        "remove one of the two",
    )


def test_a_byte_order_mark_is_not_an_error(tmp_path: Path) -> None:
    root = release(tmp_path, dialogue(ASK))
    path = root / "train" / "dialogues_001.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(rows(root)[0]) == 1


def test_a_missing_schema_is_reported_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"train/schema.json: missing_file: found no such file"):
        read(release(tmp_path, dialogue(ASK), schema=None))


def test_a_missing_and_an_empty_folder_are_reported(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        read(tmp_path)
    (tmp_path / "train").mkdir()
    with pytest.raises(UserError, match=r"no file named dialogues_\*.json"):
        read(tmp_path)


def test_splits_that_define_a_service_differently_are_reported(tmp_path: Path) -> None:
    release(tmp_path, dialogue(ASK))
    changed = [{**SCHEMA[0], "description": "Other trips"}]
    release(tmp_path, dialogue(ASK), schema=changed, split="dev")
    source = SgdSource(path=str(tmp_path), license="MIT", splits=("train", "dev"))
    with pytest.raises(UserError, match=r"service 'Boats_1', which train/schema\.json defines differently"):
        list(stream_sgd_source(tmp_path, source, SourceInfo("sgd", "MIT"), 4, 1))


def test_two_workers_read_the_same_as_one(tmp_path: Path) -> None:
    root = release(tmp_path, dialogue(ASK, OFFER, user("Bye", action("GOODBYE"))))
    second = dialogue(ASK, name="2_00000")
    (root / "train" / "dialogues_002.json").write_bytes(msgspec.json.encode([second]))
    serial, parallel = read(root, workers=1), read(root, workers=2)
    assert serial.records.equals(parallel.records)
    assert serial.rejections.equals(parallel.rejections)


def test_aliases_of_free_slots_are_learned_from_states(tmp_path: Path) -> None:
    turn = user("Kiel", action("INFORM", "harbour", "Kiel"), harbour=["Kiel", "Port of Kiel"])
    tables = read(release(tmp_path, dialogue(turn)))
    [instance, other] = tables.recognizers.recognizers["sgd-aliases"].instances
    assert (instance.label, instance.expressions) == ("Kiel", ("Port of Kiel",))
    assert (other.label, other.expressions) == ("Port of Kiel", ("Kiel",))
    harbour = tables.skills[0].find_parameter("harbour")
    assert harbour is not None
    assert harbour.recognizer == "sgd-aliases"


def state_turn(
    text: str,
    intent: str | None = "FindBoat",
    requested: tuple[str, ...] = (),
    spans: tuple[tuple[str, int, int], ...] = (),
    **values: list[str],
) -> dict[str, Any]:
    """A user's turn as in releases without actions: what it means is in the state and the spans alone."""
    turn = user(text, intent=intent or "", spans=list(spans), **values)
    state = turn["frames"][0]["state"]
    state["requested_slots"] = list(requested)
    if intent is None:
        del state["active_intent"]
    return turn


FROM_KIEL = state_turn("Boats from Kiel, two of us", harbour=["kiel", "Kiel"])


def test_without_actions_an_active_intent_is_a_normal_request_with_the_values_that_are_new(
    tmp_path: Path,
) -> None:
    first = state_turn("I want a boat")
    second = state_turn("From Kiel or Kiel Canal", spans=(("harbour", 5, 9),), harbour=["Kiel"])
    third = state_turn("A covered boat, the Gull", harbour=["Kiel"], covered=["True"], boat=["Gull"])
    records, rejections = rows(release(tmp_path, dialogue(first, system("Where?"), second, third)))
    assert rejections == []
    assert [(record.mode, record.skill, record.arguments) for record in records] == [
        (Mode.NORMAL, "Boats_1_FindBoat", ()),
        (Mode.NORMAL, "Boats_1_FindBoat", (LabelledArgument("harbour", "Kiel", ("Kiel",), 5, 9),)),
        (
            Mode.NORMAL,
            "Boats_1_FindBoat",
            (LabelledArgument("covered", "True", ("True",)), LabelledArgument("boat", "Gull", ("Gull",))),
        ),
    ]


def test_without_actions_a_value_that_only_an_earlier_turn_says_is_accepted(tmp_path: Path) -> None:
    accept = state_turn("Sure, that", harbour=["kiel", "Kiel"], boat=["Gull", "the Gull"])
    records, _ = rows(release(tmp_path, dialogue(FROM_KIEL, system("The Gull?"), accept)))
    assert [(record.mode, record.arguments) for record in records] == [
        (Mode.NORMAL, (LabelledArgument("harbour", "kiel", ("kiel", "Kiel")),)),
        (Mode.EXTENDED, (LabelledArgument("boat", "Gull", ("Gull", "the Gull"), context=True),)),
    ]


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        (state_turn("And the price?", requested=("price",), harbour=["Kiel"]), Reason.ASKS_ABOUT_RESULT),
        (
            state_turn("And the price?", intent="NONE", requested=("price",), harbour=["Kiel"]),
            Reason.ASKS_ABOUT_RESULT,
        ),
        (state_turn("Fine.", harbour=["Kiel"]), Reason.NO_NEW_MEANING),
        (state_turn("Two seats", intent="NONE", harbour=["Kiel"], seats=["2"]), Reason.UNANNOTATED),
        (state_turn("Fine.", intent=None, harbour=["Kiel"]), Reason.UNANNOTATED),
    ],
)
def test_without_actions_a_turn_that_enters_nothing_is_in_the_ledger(
    tmp_path: Path, turn: dict[str, Any], reason: Reason
) -> None:
    records, rejections = rows(release(tmp_path, dialogue(FROM_KIEL, turn)))
    assert [record.mode for record in records] == [Mode.NORMAL]
    assert [rejection.reason for rejection in rejections] == [reason]


def test_without_actions_a_state_that_wants_nothing_has_mode_none(tmp_path: Path) -> None:
    bye = state_turn("Bye", intent="NONE", harbour=["kiel", "Kiel"])
    records, rejections = rows(release(tmp_path, dialogue(FROM_KIEL, bye)))
    assert rejections == []
    assert [(record.mode, record.skill) for record in records] == [
        (Mode.NORMAL, "Boats_1_FindBoat"),
        (Mode.NONE, None),
    ]


@pytest.mark.parametrize(
    ("frame", "found"),
    [
        ({"service": "Boats_1"}, "found neither actions nor a state"),
        (
            {"service": "Boats_1", "slots": [{"slot": "harbour", "start": 0, "exclusive_end": 4}]},
            "found neither actions nor a state",
        ),
        (
            {"service": "Boats_1", "actions": [action("INFORM", "harbour", "Kiel")]},
            "found actions without a state",
        ),
        (
            {"service": "Boats_1", "state": {"slot_values": {}}},
            "found a state without an active intent",
        ),
        (
            {"service": "Boats_1", "state": {"active_intent": "NONE", "slot_values": {"harbour": ["Kiel"]}}},
            "found new values with the active intent 'NONE'",
        ),
    ],
)
def test_a_frame_that_does_not_say_what_it_means_is_unannotated(
    tmp_path: Path, frame: dict[str, Any], found: str
) -> None:
    turn = {"speaker": "USER", "utterance": "Kiel please", "frames": [frame]}
    records, rejections = rows(release(tmp_path, dialogue(turn)))
    assert records == []
    assert [(rejection.reason, rejection.message) for rejection in rejections] == [
        (
            Reason.UNANNOTATED,
            f"train/dialogues_001.json#/0/turns/0/frames/0: {found}, expected a state whose active intent, "
            "or actions that, say what the user wants; annotate the frame, or remove it",
        )
    ]


def test_an_act_that_names_the_intent_does_not_need_a_state(tmp_path: Path) -> None:
    turn = user(
        "A boat from Kiel", action("INFORM_INTENT", "intent", "FindBoat"), action("INFORM", "harbour", "Kiel")
    )
    del turn["frames"][0]["state"]
    [record], _ = rows(release(tmp_path, dialogue(turn)))
    assert (record.skill, record.mode) == ("Boats_1_FindBoat", Mode.NORMAL)
    assert record.arguments == (LabelledArgument("harbour", "Kiel", ("Kiel",)),)


def test_a_span_counts_without_an_act_that_informs(tmp_path: Path) -> None:
    select = user("the Gull", action("SELECT"), spans=[("boat", 4, 8)], harbour=["Kiel"], boat=["Gull"])
    records, _ = rows(release(tmp_path, dialogue(ASK, OFFER, select)))
    assert [record.arguments for record in records if record.utterance == "the Gull"] == [
        (LabelledArgument("boat", "Gull", ("Gull",), 4, 8),)
    ]


def test_a_span_of_what_the_turn_asks_about_is_no_value(tmp_path: Path) -> None:
    turn = user(
        "Is it the Gull?", action("REQUEST", "boat", "Gull"), spans=[("boat", 10, 14)], harbour=["Kiel"]
    )
    _, rejections = rows(release(tmp_path, dialogue(ASK, OFFER, turn)))
    assert [rejection.reason for rejection in rejections] == [Reason.ASKS_ABOUT_RESULT]


def test_a_turn_of_white_space_is_rejected(tmp_path: Path) -> None:
    turn = user("  ", action("INFORM_INTENT", "intent", "FindBoat"), harbour=["Kiel"])
    records, rejections = rows(release(tmp_path, dialogue(turn)))
    assert records == []
    assert [(rejection.reason, rejection.utterance) for rejection in rejections] == [
        (Reason.MALFORMED_RECORD, "  ")
    ]


def test_the_first_turn_is_never_extended(tmp_path: Path) -> None:
    first = user("Kiel, for two", action("AFFIRM"), harbour=["Kiel"])
    [record], _ = rows(release(tmp_path, dialogue(first)))
    assert (record.mode, record.arguments) == (
        Mode.NORMAL,
        (LabelledArgument("harbour", "Kiel", ("Kiel",)),),
    )


def test_every_key_of_a_dialogue_is_counted_however_it_is_empty() -> None:
    turns = [
        {"speaker": "USER", "utterance": "", "frames": []},
        {
            "speaker": "SYSTEM",
            "utterance": "it: 5:30",
            "frames": [
                {
                    "service": "",
                    "actions": [{"act": "", "slot": "", "values": [], "canonical_values": []}],
                    "slots": [{"slot": "", "start": 0, "exclusive_end": 0, "copy_from": "", "value": []}],
                    "state": {"active_intent": "", "requested_slots": [], "slot_values": {}},
                    "service_call": {"method": "", "parameters": {"a:": ":"}},
                    "service_results": [],
                },
                {"service": "", "actions": [], "slots": [], "state": {}},
            ],
        },
    ]
    data = msgspec.json.encode([{"dialogue_id": "", "services": [], "turns": turns}, {"dialogue_id": ""}])
    dialogues = msgspec.json.decode(data, type=list[Dialogue])
    assert keeps_all_keys(data, msgspec.json.encode(dialogues))
