"""What each dialect says beyond texts, intents and spans: values, lists, templates, splits, and files of tools."""

from __future__ import annotations

import json

import pytest

from exemplars.core.records import LabelledArgument, Mode, Record, Speaker, Turn
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.recognizers import Instance
from stages.ingest.nlu.dialects import detect_dialect, parse_files
from stages.ingest.nlu.documents import Text
from stages.ingest.nlu.examples import Example
from stages.ingest.nlu.massive import parse_massive
from stages.ingest.reading import Reading
from tests.ingest.nlu.writers import read


def describe(record: Record) -> tuple[str, str | None, list[tuple[str, str, str]]]:
    """Return the utterance, the skill, and the arguments: slot, value and the text that says it."""
    return (
        record.utterance,
        record.skill,
        [(item.slot, item.value, record.utterance[item.start : item.end]) for item in record.arguments],
    )


def list_instances(reading: Reading, name: str) -> dict[str, tuple[str, ...]]:
    instances: tuple[Instance, ...] = reading.recognizers.recognizers[name].instances
    return {instance.label: instance.expressions for instance in instances}


RASA = """\
version: "3.1"
nlu:
- intent: order
  examples: |
    - [two]{"entity": "count", "value": "2"} to [NYC](city) please
    - from [nyc]{"entity": "city", "role": "from", "group": "1"} in [12345](zip)
    - [three](count:3) of them
- intent: faq/opening_hours
  examples:
  - text: |
      when do you open?
    metadata: {sentiment: neutral}
  - are you open?
- synonym: New York City
  examples: |
    - NYC
    - the Big Apple
- lookup: city
  examples: |
    - Rome
- regex: zip
  examples: |
    - \\d{5}
"""


def test_rasa_values_roles_synonyms_lookups_and_regexes() -> None:
    reading = read({"nlu.yml": RASA})
    assert reading.rejections == ()
    assert [describe(record) for record in reading.records] == [
        ("two to NYC please", "order", [("count", "2", "two"), ("city", "New York City", "NYC")]),
        ("from nyc in 12345", "order", [("from", "New York City", "nyc"), ("zip", "12345", "12345")]),
        ("three of them", "order", [("count", "3", "three")]),
        ("when do you open?", "faq_opening_hours", []),
        ("are you open?", "faq_opening_hours", []),
    ]
    assert [record.origin.locator for record in reading.records] == ["5", "6", "7", "11", "13"]
    assert list_instances(reading, "city") == {
        "New York City": ("NYC", "New York City", "the Big Apple"),
        "Rome": ("Rome",),
    }
    assert list_instances(reading, "zip") == {"12345": ("12345",)}
    assert reading.recognizers.recognizers["zip"].description == r"Values that match \d{5}"
    assert reading.skills == (
        Skill("faq_opening_hours", inferred=True),
        Skill(
            "order",
            parameters=(
                Parameter("city", recognizer="city"),
                Parameter("count"),
                Parameter("from", recognizer="city"),
                Parameter("zip", recognizer="zip"),
            ),
            inferred=True,
        ),
    )


def test_a_synonym_of_another_file_of_the_source_counts() -> None:
    synonyms = "nlu:\n- synonym: Rome\n  examples: |\n    - Roma\n"
    reading = read(
        {"nlu.yml": "nlu:\n- intent: go\n  examples: |\n    - to [Roma](city)\n", "syn.yml": synonyms}
    )
    assert [item.value for item in reading.records[0].arguments] == ["Rome"]


def test_a_text_in_brackets_without_a_label_is_plain_text() -> None:
    [record] = read({"n.yml": "nlu:\n- intent: a\n  examples: |\n    - press [enter] now\n"}).records
    assert describe(record) == ("press [enter] now", "a", [])


def test_two_entities_of_one_text_are_two_arguments() -> None:
    text = 'nlu:\n- intent: a\n  examples: |\n    - [x][{"entity": "b"}, {"entity": "c"}] y\n'
    assert describe(read({"n.yml": text}).records[0]) == ("x y", "a", [("b", "x", "x"), ("c", "x", "x")])


def test_white_space_at_the_edges_of_an_entity_is_not_in_its_span() -> None:
    data = {"Play": [{"data": [{"text": "play"}, {"text": " Yo Ho ", "entity": "track"}, {"text": "now"}]}]}
    [record] = read({"a.json": json.dumps(data)}).records
    assert describe(record) == ("play Yo Ho now", "Play", [("track", "Yo Ho", "Yo Ho")])


def test_snips_lists_give_canonical_values() -> None:
    data = {
        "intents": {"go": {"utterances": [{"data": [{"text": "to "}, {"text": "roma", "entity": "city", "slot_name": "to"}]}]}},
        "entities": {"city": {"data": [{"value": "Rome", "synonyms": ["Roma"]}], "use_synonyms": True}, "snips/date": {}},
    }  # fmt: skip
    reading = read({"dataset.json": json.dumps(data)})
    assert describe(reading.records[0]) == ("to roma", "go", [("to", "Rome", "roma")])
    assert reading.skills == (Skill("go", parameters=(Parameter("to", recognizer="city"),), inferred=True),)


def test_an_entity_file_of_snips_is_a_list() -> None:
    reading = read(
        {
            "city.json": '{"city": {"data": [{"value": "Rome", "synonyms": ["Roma"]}, "Oslo"]}}',
            "go.json": '{"go": [{"data": [{"text": "Roma", "entity": "city"}]}]}',
        }
    )
    assert describe(reading.records[0]) == ("Roma", "go", [("city", "Rome", "Roma")])
    assert list_instances(reading, "city") == {"Oslo": ("Oslo",), "Rome": ("Roma", "Rome")}


@pytest.mark.parametrize(
    ("partition", "split"), [("train", "train"), ("dev", "validation"), ("test", "test"), (None, None)]
)
def test_partitions_of_massive_are_splits(partition: str | None, split: str | None) -> None:
    line = {"annot_utt": "at [time : five am]", "intent": "alarm", "partition": partition}
    [record] = read({"en.jsonl": json.dumps(line)}).records
    assert (describe(record), record.split) == (
        ("at five am", "alarm", [("time", "five am", "five am")]),
        split,
    )


def test_brackets_of_massive_that_the_utterance_has_too_are_text() -> None:
    line = '{"annot_utt": "press [ now", "utt": "press [ now", "intent": "a"}'
    assert parse_massive("a.jsonl", Text(line)).items == (Example("1", "press [ now", "a", ()),)


def test_intents_that_ask_for_nothing_have_no_skill_and_no_arguments() -> None:
    data = {"oos_test": [["what is love", "oos"]], "val": [["call me", "call"]]}
    reading = read({"data.json": json.dumps(data)}, none_intents=["oos"])
    assert [(record.mode, record.skill, record.split) for record in reading.records] == [
        (Mode.NONE, None, "test"),
        (Mode.NORMAL, "call", "validation"),
    ]
    assert reading.skills == (Skill("call", inferred=True),)


def test_luis_roles_children_and_closed_lists() -> None:
    app = {
        "luis_schema_version": "7.0.0",
        "utterances": [
            {
                "text": "from roma at five",
                "intent": "go",
                "entities": [
                    {"entity": "city", "role": "from", "startPos": 5, "endPos": 8},
                    {"entity": "when", "startPos": 10, "endPos": 16,
                     "children": [{"entity": "hour", "startPos": 13, "endPos": 16}]},
                ],
            }
        ],
        "closedLists": [{"name": "city", "subLists": [{"canonicalForm": "Rome", "list": ["Roma"]}]}],
        "patterns": [{"pattern": "go to {city:to} at {hour}", "intent": "go"}, {"pattern": "[please] go", "intent": "go"}],
        "regex_entities": [{"name": "hour", "regexPattern": "f.ve"}, {"name": "hour", "regexPattern": "("}],
    }  # fmt: skip
    reading = read({"app.json": json.dumps(app)})
    assert [describe(record) for record in reading.records] == [
        ("from roma at five", "go", [("from", "Rome", "roma"), ("hour", "five", "five")]),
        ("go to Roma at five", "go", [("to", "Rome", "Roma"), ("hour", "five", "five")]),
        ("go to Rome at five", "go", [("to", "Rome", "Rome"), ("hour", "five", "five")]),
    ]
    assert [rejection.message for rejection in reading.rejections] == [
        "app.json#/patterns/1: found the pattern '[please] go' with optional parts or choices, expected a text with {entity} "
        "or {entity:role}; write a pattern for each of the ways",
        "app.json#/regex_entities/1: found the regex '(', which is malformed (missing ), unterminated subpattern at "
        "position 0), expected a regular expression of Python; correct it",
    ]
    assert reading.skills == (
        Skill(
            "go",
            parameters=(
                Parameter("from", recognizer="city"),
                Parameter("hour", recognizer="hour"),
                Parameter("to", recognizer="city"),
            ),
            inferred=True,
        ),
    )


def test_clu_datasets_lists_and_index_types() -> None:
    def build(index_type: str, offset: int) -> str:
        utterance = {
            "text": "👩🏽 in roma", "intent": "eat", "dataset": "Test",
            "entities": [{"category": "city", "offset": offset, "length": 4}],
        }  # fmt: skip
        sublist = {"listKey": "Rome", "synonyms": [{"language": "en", "values": ["Roma"]}]}
        assets = {
            "projectKind": "Conversation",
            "utterances": [utterance],
            "entities": [
                {"category": "city", "list": {"sublists": [sublist]}},
                {"category": "date"},
                {"category": "zip", "regex": {"expressions": [{"regexKey": "z", "regexPattern": "("}]}},
            ],
        }
        return json.dumps({"stringIndexType": index_type, "assets": assets})

    for text in (build("Utf16CodeUnit", 8), build("UnicodeCodePoint", 6), build("TextElement_V8", 5)):
        reading = read({"project.json": text})
        assert [row.origin.locator for row in reading.rejections] == [
            "/assets/entities/2/regex/expressions/0"
        ]
        [record] = reading.records
        assert (describe(record), record.split) == (
            ("👩🏽 in roma", "eat", [("city", "Rome", "roma")]),
            "test",
        )


DIALOGFLOW = {
    "agent.json": '{"language": "en", "displayName": "bot"}',
    "package.json": '{"version": "1.0.0"}',
    "intents/book.json": '{"id": "1", "name": "book", "responses": []}',
    "intents/book_usersays_en.json": json.dumps(
        [
            {"data": [{"text": "to "}, {"text": "Roma", "alias": "geo", "meta": "@city"}], "isTemplate": False},
            {"data": [{"text": "the "}, {"text": "word", "meta": "@sys.ignore"}, {"text": " 7", "meta": "@n"}]},
            {"data": [{"text": "go to @city:geo now"}], "isTemplate": True},
        ]
    ),
    "entities/city.json": '{"id": "2", "name": "city", "isRegexp": false}',
    "entities/city_entries_en.json": '[{"value": "Rome", "synonyms": ["Rome", "Roma", "@sys.any:x town"]}]',
    "entities/n.json": '{"id": "3", "name": "n", "isRegexp": true}',
    "entities/n_entries_en.json": '[{"value": "[0-9]"}]',
}  # fmt: skip


def test_a_dialogflow_export_gives_examples_templates_and_lists() -> None:
    reading = read(DIALOGFLOW)
    assert reading.rejections == ()
    assert [describe(record) for record in reading.records] == [
        ("to Roma", "book", [("geo", "Rome", "Roma")]),
        ("the word 7", "book", [("n", "7", "7")]),
        ("go to Roma now", "book", [("geo", "Rome", "Roma")]),
        ("go to Rome now", "book", [("geo", "Rome", "Rome")]),
    ]
    assert [record.origin.locator for record in reading.records] == ["/0", "/1", "/2/0", "/2/1"]
    assert list_instances(reading, "n") == {"7": ("7",)}


def test_a_malformed_regex_of_a_dialogflow_entity_is_in_the_ledger() -> None:
    reading = read({**DIALOGFLOW, "entities/n_entries_en.json": '[{"value": "[0-9]"}, {"value": "(7"}]'})
    assert [rejection.message for rejection in reading.rejections] == [
        "entities/n_entries_en.json#/1: found the regex '(7', which is malformed (missing ), unterminated subpattern at "
        "position 0), expected a regular expression of Python; correct it"
    ]
    assert list_instances(reading, "n") == {"7": ("7",)}


ALEXA = {
    "interactionModel": {
        "languageModel": {
            "invocationName": "sky",
            "intents": [
                {"name": "AMAZON.StopIntent", "samples": []},
                {
                    "name": "Weather",
                    "slots": [
                        {"name": "city", "type": "CITY", "samples": ["in {city}"]},
                        {"name": "day", "type": "AMAZON.DATE"},
                    ],
                    "samples": ["weather in {city}", "weather on {day}", "{city} {city}", "in {town}", "in {city", "weather"],
                },
            ],
            "types": [{"name": "CITY", "values": [{"id": "1", "name": {"value": "Rome", "synonyms": ["Roma"]}}, {"name": {"value": "Oslo"}}]}],
        },
        "dialog": {"intents": [{"name": "Weather", "slots": [{"name": "city", "prompts": {"elicitation": "ask"}}]}]},
        "prompts": [{"id": "ask", "variations": [{"type": "PlainText", "value": "Where?"}]}],
    }
}  # fmt: skip
SAMPLES = "en.json#/interactionModel/languageModel/intents/1/samples"


def test_alexa_samples_are_templates_that_the_values_of_types_fill() -> None:
    reading = read({"en.json": json.dumps(ALEXA)})
    assert [(describe(record), record.mode, record.context) for record in reading.records] == [
        (("weather in Oslo", "Weather", [("city", "Oslo", "Oslo")]), Mode.NORMAL, ()),
        (("weather in Roma", "Weather", [("city", "Rome", "Roma")]), Mode.NORMAL, ()),
        (("weather in Rome", "Weather", [("city", "Rome", "Rome")]), Mode.NORMAL, ()),
        (("weather", "Weather", []), Mode.NORMAL, ()),
        (("in Oslo", "Weather", [("city", "Oslo", "Oslo")]), Mode.EXTENDED, (Turn(Speaker.ASSISTANT, "Where?"),)),
        (("in Roma", "Weather", [("city", "Rome", "Roma")]), Mode.EXTENDED, (Turn(Speaker.ASSISTANT, "Where?"),)),
        (("in Rome", "Weather", [("city", "Rome", "Rome")]), Mode.EXTENDED, (Turn(Speaker.ASSISTANT, "Where?"),)),
    ]  # fmt: skip
    assert [rejection.message for rejection in reading.rejections] == [
        f"{SAMPLES}/1: found {{day}} without values, expected values of the type AMAZON.DATE; add values of AMAZON.DATE to "
        "the model, or a lookup of that name in a Rasa file",
        f"{SAMPLES}/2: slot 'city' is filled twice; keep one of the two",
        f"{SAMPLES}/3: found the slot {{town}}, expected one of city, day; declare it, or correct its name",
        f"{SAMPLES}/4: found a brace at character 4 without its counterpart, expected {{slot}}; correct the sample",
    ]
    assert len({record.group for record in reading.records}) == 3


def test_a_lookup_fills_the_slots_of_a_built_in_type() -> None:
    lookup = "nlu:\n- lookup: AMAZON.DATE\n  examples: |\n    - tomorrow\n"
    reading = read({"en.json": json.dumps(ALEXA), "dates.yml": lookup})
    assert "weather on tomorrow" in [record.utterance for record in reading.records]


def test_columns_with_an_intent_in_a_column_a_last_line_a_header_or_the_path() -> None:
    reading = read(
        {
            "valid.conll": "-DOCSTART- O O\n\n# intent = book\n# text = to Rome\nto TO O\nRome NNP S-city\n",
            "test.tsv": "New York\tB-city\tbook\nnow\tO\tbook\n",
            "train.txt": "a O\nNew B-city\nYork E-city\ncity L-city\nbook_flight\n",
            "atis.iob": "BOS O\nto O\nOslo B-toloc.city_name\nEOS atis_flight\n",
            "train/go.bio": "# O\n1 B-n\n",
            "train.bio": "x O\n",
        }
    )
    assert [(*describe(record), record.split) for record in reading.records] == [
        ("to Rome", "book", [("city", "Rome", "Rome")], "validation"),
        ("New York now", "book", [("city", "New York", "New York")], "test"),
        ("to Oslo", "atis_flight", [("toloc.city_name", "Oslo", "Oslo")], None),
        ("# 1", "go", [("n", "1", "1")], "train"),
    ]
    assert [rejection.message for rejection in reading.rejections] == [
        "train.txt:4: found the tag L-city of 'city', expected B-city, since no entity is before it; correct the tag",
        "train.bio:1: found an empty intent, expected the name of an intent; name the intent",
    ]


def test_the_folder_of_parallel_files_is_the_split() -> None:
    files = {"test/seq.in": "to Rome\n", "test/seq.out": "O B-city\n", "test/label": "go\n"}
    file = parse_files({path: text.encode() for path, text in files.items()}, None)
    assert [(item.text, item.split) for item in file.items if isinstance(item, Example)] == [
        ("to Rome", "test")
    ]


@pytest.mark.parametrize(
    ("path", "text", "dialect"),
    [
        ("data/nlu.yml", "version: '3.1'\nnlu: []\n", "rasa"),
        ("domain.yml", "version: '3.1'\nintents: [a]\n", "rasa"),
        ("nlu.json", '{"rasa_nlu_data": {}}', "rasa"),
        ("a.json", '{"intents": {}, "entities": {}}', "snips"),
        ("a.json", '{"city": {"use_synonyms": true, "data": []}}', "snips"),
        ("en-US.jsonl", '{"id": "0", "annot_utt": "hi"}', "massive"),
        ("en-US.json", '{"id": "0", "annot_utt": "hi"}\n{"id": "1", "annot_utt": "ho"}', "massive"),
        ("a.json", '{"projectFileVersion": "1", "assets": {}}', "clu"),
        ("a.json", '{"utterances": [], "intents": []}', "luis"),
        ("intents/a.json", '{"id": "1", "name": "a"}', "dialogflow"),
        ("a.json", '{"languageModel": {}}', "alexa"),
        ("a.json", '{"val": [["a", "b"]]}', "clinc"),
        ("label", "a\n", "bio"),
        ("a.conll", "a O\n", "bio"),
        ("a.json", '{"a": {"b": 1}}', None),
        ("a.jsonl", '{"utterance": "a"}', None),
        ("a.conll", "a b\n", None),
    ],
)
def test_a_dialect_is_detected_by_name_and_content(path: str, text: str, dialect: str | None) -> None:
    assert detect_dialect(path, text) == dialect


def test_files_of_a_rasa_project_without_nlu_data_hold_nothing() -> None:
    assert read({"domain.yml": "version: '3.1'\nintents:\n- a\n"}) == Reading()


def test_a_template_that_cannot_be_filled_is_in_the_ledger_as_its_file_writes_it() -> None:
    assert read({"en.json": json.dumps(ALEXA)}).rejections[0].utterance == "weather on {day}"


def test_spoken_is_given_only_where_the_value_is_another_text() -> None:
    [record, *_] = read({"nlu.yml": RASA}).records
    assert record.arguments == (
        LabelledArgument("count", "2", ("two",), 0, 3),
        LabelledArgument("city", "New York City", ("NYC",), 7, 10),
    )
