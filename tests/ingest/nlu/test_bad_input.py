"""Damaged NLU files: each mistake is one sentence with its file and place, and the rest of the file is read."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from exemplars.core.errors import UserError
from exemplars.core.records import Exemplar, Reason, Rejection
from stages.compile.exemplars import compile_record
from stages.compile.lexicon import Lexicon
from stages.ingest.reading import Reading
from tests.ingest.nlu.writers import read

GO = """\
nlu:
- intent: go
  examples: |
    - to [Rome](city)
"""


def list_outcomes(reading: Reading) -> tuple[list[str], list[str]]:
    """Return the utterances that are read, and the messages of the others."""
    utterances = [record.utterance for record in reading.records]
    assert len({row.id for row in (*reading.records, *reading.rejections)}) == len(utterances) + len(
        reading.rejections
    )
    return utterances, [rejection.message for rejection in reading.rejections]


def compile_reading(reading: Reading) -> list[Exemplar | Rejection]:
    skills = {skill.name: skill for skill in reading.skills}
    return [compile_record(record, skills, Lexicon(reading.recognizers)) for record in reading.records]


@pytest.mark.parametrize(
    ("text", "utterances", "messages"),
    [
        (
            "- intent: stay\n  examples: &all |\n    - stay\n- intent: wait\n  examples: *all\n",
            ["stay"],
            ["n.yml:9: found the alias *all, expected examples that are written out; write them out"],
        ),
        (
            "- &stay\n  intent: stay\n  examples: |\n    - stay\n- *stay\n",
            ["stay"],
            ["n.yml:9: found the alias *stay, expected an item that is written out; write it out"],
        ),
        (
            "- intent: stay\n  examples: |\n    - stay\n\t- wait\n    - rest\n- intent: end\n  examples: |\n    - bye\n",
            ["stay", "rest", "bye"],
            ["n.yml:8: found a tab that indents '- wait', expected YAML; correct the line"],
        ),
        (
            "- intent: stay\n\texamples: |\n    - stay\n- intent: end\n  examples: |\n    - bye\n",
            ["bye"],
            [
                "n.yml:6: found a tab that indents 'examples: |', expected YAML; correct the line",
                "n.yml:7: found an example of an item that cannot be read, because of line 6; correct line 6",
            ],
        ),
        (
            "    - to [Oslo(city)\n    - to [Oslo](city\n    - home\n",
            ["home"],
            [
                'n.yml:5: found a bracket at character 4 that never closes, expected [text](entity), or [text]{"entity": ...}; correct the markup',
                'n.yml:6: found a bracket at character 10 that never closes, expected [text](entity), or [text]{"entity": ...}; correct the markup',
            ],
        ),
        (
            '    - [two]{"entity": "count"\n    - [two]{"entity": }\n    - [2]{"entity": "n", "entity": "m"}\n    - home\n',
            ["home"],
            [
                'n.yml:5: found a brace at character 6 that never closes, expected [text](entity), or [text]{"entity": ...}; correct the markup',
                "n.yml:6: found braces that are not an entity (JSON is malformed: invalid character (byte 11)) at character 6, "
                "expected entity, and optionally value, role and group, as JSON; correct the markup",
                "n.yml:7: found the key 'entity' twice in one object at character 4, expected each key once; correct the markup",
            ],
        ),
        (
            "    - [[Rome](city) centre](place)\n    - [x]( )\n",
            [],
            [
                "n.yml:5: found an entity within an entity at character 1, expected entities next to each other; correct the markup",
                "n.yml:6: found an entity without a name at character 4, expected the name of an entity; correct the markup",
            ],
        ),
        (
            "- intent: stay\n  examples: |\n    - stay\n  examples: |\n    - rest\n",
            ["stay", "rest"],
            ["n.yml:5: found the key 'examples' twice in one item, expected each key once; unite the two"],
        ),
        (
            "- intent: stay\n  intent: rest\n  examples: |\n    - stay\n",
            [],
            [
                "n.yml:5: found the key 'intent' twice in one item, expected each key once; unite the two",
                "n.yml:8: found an example of an item that cannot be read, because of line 5; correct line 5",
            ],
        ),
        (
            "nlu:\n- intent: stay\n  examples: |\n    - stay\n",
            ["stay"],
            ["n.yml:5: found the key 'nlu' twice, expected each key once; unite the two"],
        ),
        (
            '- intent: ""\n  examples: |\n    - stay\n- intent:\n  examples:\n  - text: rest\n',
            [],
            [
                "n.yml:7: found an empty intent, expected the name of an intent; name the intent",
                "n.yml:10: found an empty intent, expected the name of an intent; name the intent",
            ],
        ),
        (
            "- intent: stay\n  exmaples: |\n    - stay\n- itent: rest\n  examples: |\n    - rest\n",
            [],
            [
                "n.yml:5: found no examples of intent 'stay', expected `- intent: NAME`, then `examples: |`, then lines that "
                "begin with '- '; did you mean 'examples'?",
                "n.yml:8: found an item with itent, examples, expected one of intent, synonym, regex, lookup; did you mean 'intent'?",
                "n.yml:10: found an example of an item that cannot be read, because of line 8; correct line 8",
            ],
        ),
        (
            "- intent: stay\n  examples:\n  - text: stay\n    text: rest\n  - &one wait\n  - *one\n  - {metadata: 5}\n  - {text: *one}\n",
            ["wait"],
            [
                "n.yml:7: found the key 'text' twice in one example, expected a text, or a mapping with `text` and `metadata`; correct the example",
                "n.yml:10: found the alias *one, expected a text, or a mapping with `text` and `metadata`; correct the example",
                "n.yml:11: found an example without a text, expected a text, or a mapping with `text` and `metadata`; correct the example",
                "n.yml:12: found the alias *one, expected a text, or a mapping with `text` and `metadata`; correct the example",
            ],
        ),
        (
            "- intent: stay\n  examples: [[stay]]\n- intent: rest\n  examples: rest\n- synonym:\n  examples: |\n    - a\n- 5\n",
            [],
            [
                "n.yml:6: found an example without a text, expected a text, or a mapping with `text` and `metadata`; correct the example",
                "n.yml:8: found examples that are neither a block of lines nor a list, expected `- intent: NAME`, then `examples: |`, "
                "then lines that begin with '- '; write `examples: |`",
                "n.yml:9: found a synonym without a name, expected its name; name the synonym",
                "n.yml:11: found an example of an item that cannot be read, because of line 9; correct line 9",
                "n.yml:12: found an item without a key, expected one of intent, synonym, regex, lookup; correct the item",
            ],
        ),
        (
            "    plain\n- regex: zip\n  examples: |\n    - (\n",
            [],
            [
                "n.yml:5: found the line 'plain', expected an example that begins with '- '; begin the line with '- ', or remove it",
                "n.yml:8: found the regex '(', which is malformed (missing ), unterminated subpattern at position 0), expected a "
                "regular expression of Python; correct it",
            ],
        ),
    ],
    ids=[
        "alias of examples", "alias of an item", "tab before an example", "tab before a key", "bracket", "braces",
        "nested", "examples twice", "intent twice", "nlu twice", "empty intent", "misspelled keys", "entries of a list", "other forms", "line and regex",
    ],
)  # fmt: skip
def test_a_mistake_in_rasa_yaml_is_one_sentence_with_its_line(
    text: str, utterances: list[str], messages: list[str]
) -> None:
    assert list_outcomes(read({"n.yml": GO + text})) == (["to Rome", *utterances], messages)


def test_a_mistake_before_the_first_intent_does_not_hide_the_intents() -> None:
    reading = read({"n.yml": "version: '3.1\n" + GO})
    assert list_outcomes(reading) == (
        ["to Rome"],
        ["n.yml:1: found no end while scanning a quoted scalar, expected YAML; correct the line"],
    )


def test_characters_that_end_a_line_in_yaml_alone_shift_no_line() -> None:
    reading = read({"n.yml": GO + "    - one\u2028two\x85three\n    - to [Oslo](city)\n"})
    assert [(record.origin.locator, record.utterance) for record in reading.records] == [
        ("4", "to Rome"),
        ("5", "one\u2028two\x85three"),
        ("6", "to Oslo"),
    ]


def test_a_character_that_yaml_does_not_allow_costs_one_example() -> None:
    assert list_outcomes(read({"n.yml": GO + "    - a\x0bb\n    - home\n"})) == (
        ["to Rome", "home"],
        [r"n.yml:5: found the character '\x0b', which YAML does not allow, expected YAML; correct the line"],
    )


def test_all_yaml_documents_of_a_file_are_read() -> None:
    reading = read({"n.yml": GO + "---\n" + GO.replace("Rome", "Oslo")})
    assert list_outcomes(reading) == (["to Rome", "to Oslo"], [])
    assert [record.origin.locator for record in reading.records] == ["4", "9"]


def test_a_top_level_key_ends_the_last_intent_of_a_damaged_file() -> None:
    reading = read({"n.yml": GO + "\t- x\nrules:\n- rule: r\n  steps: []\n"})
    assert list_outcomes(reading) == (
        ["to Rome"],
        ["n.yml:5: found a tab that indents '- x', expected YAML; correct the line"],
    )


def test_two_examples_on_one_line_have_their_own_ids() -> None:
    reading = read({"n.yml": '{"nlu": [{"intent": "a", "examples": ["b", "c"]}]}'})
    assert [(record.id, record.utterance) for record in reading.records] == [
        ("mine:n.yml#1", "b"),
        ("mine:n.yml#/nlu/0/examples/1", "c"),
    ]


@pytest.mark.parametrize(
    ("files", "utterances", "messages"),
    [
        (
            {"a.json": '{"P": [{"data": [{"text": "a", "text": "b"}]}, {"data": [{"text": "c"}]}]}'},
            ["c"],
            ["a.json#/P/0: found the key 'text' twice in one object, expected each key once; remove one of the two"],
        ),
        (
            {"a.json": '{"P": [{"data": [{"text": "a"}]}], "P": [{"data": [{"text": "b"}]}]}'},
            ["b"],
            ["a.json#/P: found the key 'P' twice in one object, expected each key once; remove one of the two"],
        ),
        (
            {"a.json": '{"P": [{"data": [{"text": " ", "entity": "x"}]}, {"data": 5}, {"data": [{"text": "b"}]}]}'},
            ["b"],
            [
                "a.json#/P/0: found the entity 'x' without a text, expected its text; fill it in, or remove it",
                "a.json#/P/1: expected `array`, got `int` - at `$.data` in '{\"data\": 5}'; correct the record",
            ],
        ),
        (
            {"a.json": '{"": [{"data": [{"text": "a"}]}], "P": [{"data": [{"text": "b"}]}]}'},
            ["b"],
            ["a.json#//0: found an empty intent, expected the name of an intent; name the intent"],
        ),
        (
            {"a.json": '{"train": [["a", "x"], ["b"], ["c", 5]]}'},
            ["a"],
            [
                "a.json#/train/1: expected `array` of length 2 in '[\"b\"]'; correct the record",
                "a.json#/train/2: expected `str`, got `int` - at `$[1]` in '[\"c\", 5]'; correct the record",
            ],
        ),
        (
            {"a.conll": "# intent: go\nto\tO\nRome\tI-city\n\nto\tO\nOslo\tB-city\n\nNew B-city\nYork I-place\n\nx\ny O\n\nz Q-a\n"},
            ["to Oslo"],
            [
                "a.conll:3: found the tag I-city of 'Rome', expected B-city, since no entity is before it; correct the tag",
                "a.conll:9: found the tag I-place of 'York', expected B-place, since I-city is before it; correct the tag",
                "a.conll:11: found a token without a tag, expected O, or B- or I- and a name; correct the line",
                "a.conll:14: found the tag 'Q-a', expected O, or B- or I- and a name; correct the line",
            ],
        ),
        (
            {"seq.in": "to Rome\nhello\nx\ny", "seq.out": "O B-city\nO O\nO\n[O", "label": "go\nhi\n\ngo\nz"},
            ["to Rome"],
            [
                "seq.in:2: found 1 token(s) and, in seq.out, 2 tag(s), expected a tag for each token; correct one of the two lines",
                "seq.in:3: found an empty intent, expected the name of an intent; name the intent",
                "seq.out:4: found the tag '[O', expected O, or B- or I- and a name; correct the line",
                "seq.in:5: found no line 5, which label has, expected equally many lines; add the line, or remove the other",
            ],
        ),
        (
            {
                "a.jsonl": '{"annot_utt": "at [time : five", "intent": "a"}\n{"annot_utt": "a", "utt": "b", "intent": "a"}\n'
                '{"annot_utt": "c", "intent": "a", "partition": "x"}\n{"annot_utt": 5}\n{"annot_utt": "[t : ]", "intent": "a"}\n'
                '{"annot_utt": "a", "annot_utt": "b"}\n{"annot_utt": "ok", "intent": "a"}\n{"annot_utt": "[ : x]", "intent": "a"}\n{"annot_utt"'
            },
            ["ok"],
            [
                "a.jsonl:1: found a bracket at character 4 of annot_utt that never closes, expected [slot : value]; correct the annotation",
                "a.jsonl:2: found annot_utt that says 'a', expected 'b', as utt does; correct one of the two",
                "a.jsonl:3: found partition 'x', expected train, dev or test; correct the partition",
                "a.jsonl:4: expected `str`, got `int` - at `$.annot_utt` in '{\"annot_utt\": 5}'; write a JSON object with annot_utt, intent, utt and partition",
                "a.jsonl:5: found the slot 't' without a value, expected [slot : value]; fill it in",
                "a.jsonl:6: found the key 'annot_utt' twice in one object, expected each key once; remove one of the two",
                "a.jsonl:8: found a slot without a name, expected [slot : value]; name the slot",
                "a.jsonl:9: input data was truncated in '{\"annot_utt\"'; write a JSON object with annot_utt, intent, utt and partition",
            ],
        ),
        (
            {"a.json": '{"intents": {"go": {"utterances": 5}}, "entities": {"city": 5}}'},
            [],
            [
                "a.json#/entities: expected `object`, got `int` - at `$[...]` in '{\"city\": 5}'; correct the record",
                "a.json#/intents: expected `array`, got `int` - at `$[...].utterances` in '{\"go\": {\"utterances\": 5}}'; correct the record",
            ],
        ),
        (
            {"a.json": '{"city": {"data": 5}, "go": [{"data": [{"text": "a"}]}]}'},
            ["a"],
            ["a.json#/city: expected `array`, got `int` - at `$[...].data` in '{\"city\":{\"data\": 5}}'; correct the record"],
        ),
        (
            {
                "a.json": '{"rasa_nlu_data": {"common_examples": [{"text": "to Rome", "intent": "go", "entities": [{"start": 3, "end": 9, '
                '"entity": "city"}]}, {"text": 5}, {"text": "ok", "intent": "go"}], "regex_features": [{"name": "z", "pattern": "("}]}}'
            },
            ["ok"],
            [
                "a.json#/rasa_nlu_data/common_examples/0: found span 3:9 in an utterance of 7 code points for slot 'city', expected "
                "0 <= start < end <= length, in code points; correct the span",
                "a.json#/rasa_nlu_data/common_examples/1: expected `str`, got `int` - at `$.text` in '{\"text\": 5}'; correct the record",
                "a.json#/rasa_nlu_data/regex_features/0: found the regex '(', which is malformed (missing ), unterminated "
                "subpattern at position 0), expected a regular expression of Python; correct it",
            ],
        ),
        (
            {"a.json": '{"assets": {"utterances": [{"text": 5}, {"text": "ok", "intent": "go"}]}}'},
            ["ok"],
            ["a.json#/assets/utterances/0: expected `str`, got `int` - at `$.text` in '{\"text\": 5}'; correct the record"],
        ),
        (
            {"go_usersays_en.json": '[{"data": 5}, {"data": [{"text": "ok"}]}]'},
            ["ok"],
            ["go_usersays_en.json#/0: expected `array`, got `int` - at `$.data` in '{\"data\": 5}'; correct the record"],
        ),
    ],
    ids=[
        "key twice", "intent twice", "Snips", "empty intent", "CLINC150", "columns", "parallel files", "MASSIVE",
        "Snips dataset", "Snips list", "Rasa JSON", "CLU", "Dialogflow",
    ],
)  # fmt: skip
def test_a_mistake_in_another_dialect_is_one_sentence_with_its_place(
    files: dict[str, str], utterances: list[str], messages: list[str]
) -> None:
    assert list_outcomes(read(files)) == (utterances, messages)


def make_luis(*entities: tuple[str, int, int], text: str = "😀 to Rome") -> dict[str, str]:
    labels = [{"entity": name, "startPos": start, "endPos": end} for name, start, end in entities]
    utterance = {"text": text, "intent": "go", "entities": labels}
    return {
        "a.json": json.dumps(
            {"luis_schema_version": "7.0.0", "utterances": [utterance, {"text": "ok", "intent": "go"}]}
        )
    }


def test_offsets_of_luis_count_utf_16_code_units_and_the_end_is_inclusive() -> None:
    [record, _] = read(make_luis(("city", 6, 9))).records
    assert [(item.slot, item.value, item.start, item.end) for item in record.arguments] == [
        ("city", "Rome", 5, 9)
    ]


@pytest.mark.parametrize(
    ("span", "found"),
    [((6, 10), "span 6:11"), ((1, 4), "span 1:5"), ((9, 6), "span 9:7"), ((-1, 2), "span -1:3")],
    ids=["after the end", "within an emoji", "reversed", "negative"],
)
def test_a_span_out_of_bounds_is_rejected_with_its_place(span: tuple[int, int], found: str) -> None:
    assert list_outcomes(read(make_luis(("city", *span)))) == (
        ["ok"],
        [
            f"a.json#/utterances/0: found {found} in an utterance of 9 code points for slot 'city', expected 0 <= start < end "
            "<= length, in UTF-16 code units; correct the span"
        ],
    )


def test_spans_that_overlap_are_rejected_when_they_are_compiled() -> None:
    rows = compile_reading(read(make_luis(("city", 6, 9), ("place", 3, 6))))
    assert [row.message for row in rows if isinstance(row, Rejection)] == [
        "a.json#/utterances/0: the value of slot 'place' is at 2:6 ('to R'), and slot 'city' at 5:9 ('Rome'); give "
        "spans or an exemplar line, or merge the slots"
    ]
    assert sum(isinstance(row, Exemplar) for row in rows) == 1


def test_a_slot_that_an_utterance_fills_twice_is_rejected_when_it_is_compiled() -> None:
    [row] = compile_reading(read({"n.yml": GO.replace("[Rome](city)", "[Rome](city) and [Oslo](city)")}))
    assert isinstance(row, Rejection)
    assert (row.reason, row.message) == (
        Reason.DUPLICATE_SLOT,
        "n.yml:4: slot 'city' is filled twice; keep one of the values",
    )


@pytest.mark.parametrize(
    ("path", "data", "place"),
    [
        ("n.yml", (GO + "    - caf\xe9\n").encode("latin-1"), "n.yml:5"),
        ("a.json", '{"P": [{"data": [{"text": "to Rome"}]}, {"data": [{"text": "caf\xe9"}]}]}'.encode("latin-1"), "a.json#/P/1"),
        ("a.conll", "# intent: go\nto O\nRome O\n\ncaf\xe9 O\n".encode("latin-1"), "a.conll:5"),
    ],
)  # fmt: skip
def test_examples_that_are_not_utf_8_are_rejected_and_the_others_are_read(
    path: str, data: bytes, place: str
) -> None:
    assert list_outcomes(read({path: data})) == (
        ["to Rome"],
        [
            f"{place}: found bytes that are not UTF-8 in 'caf\N{REPLACEMENT CHARACTER}', expected UTF-8; save the file as UTF-8 "
            "(for example with iconv -f latin1 -t utf-8)"
        ],
    )


def test_surrogates_that_java_wrote_one_by_one_are_the_character_that_they_mean() -> None:
    data = b'{"P": [{"data": [{"text": "pizza "}, {"text": "\xed\xa0\xbc\xed\xbd\x95", "entity": "x"}]}]}'
    [record] = read({"a.json": data}).records
    assert (record.utterance, record.arguments[0].start, record.arguments[0].end) == ("pizza 🍕", 6, 7)


def test_a_replacement_character_of_a_sound_file_is_kept() -> None:
    assert list_outcomes(read({"n.yml": GO + "    - caf\ufffd\n"}))[1] == []


@pytest.mark.parametrize(
    ("path", "data", "options", "message"),
    [
        ("n.yml", GO.encode("utf-16"), {}, "n.yml, byte 0: not_utf8: found byte 0xff 'invalid start byte', expected UTF-8; save the file as UTF-8 (for example with iconv -f utf-16 -t utf-8)"),
        ("n.yml", b"", {}, "n.yml, byte 0: empty_file: "),
        ("n.yml", b"nlu: " + b"[" * 200 + b"]" * 200, {}, "n.yml:1: not_yaml: found values nested more than 100 levels deep"),
        ("n.yml", b"pets: [cat]\n", {}, "n.yml: unknown_dialect: found a file of no known dialect, expected one of alexa, bio, clinc, clu, dialogflow, luis, massive, rasa, snips; correct the file, or move it away"),
        ("a.json", b'{"a": 5}', {}, "a.json: unknown_dialect: "),
        ("a.json", b"[1]", {}, "a.json: unknown_dialect: "),
        ("a.json", b'{"stringIndexType": "bytes", "assets": {}}', {}, "a.json, byte 0: wrong_shape: not a CLU project: invalid enum value 'bytes' - at `$.stringIndexType`"),
        ("a.tsv", b"hello world\n", {}, "a.tsv: unknown_dialect: "),
        ("a.json", b'{"P": [{"data": [{"text": "a"}', {}, "a.json, byte 30: not_json: not JSON: input data was truncated; fetch or write the file again: it is cut short or damaged"),
        ("n.yml", GO.encode(), {"dialect": "snips"}, "n.yml: other_dialect: found a file of the dialect rasa, expected snips, the `dialect` of the source; move the file to a source of its own, or remove `dialect` to read files of all dialects"),
        ("seq.in", b"a\n", {}, "seq.in: missing_file: found no seq.out in its folder, expected seq.in, seq.out, label together; add the file"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_at_all_is_one_sentence(
    path: str, data: bytes, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError) as error:
        read({path: data}, **options)
    assert str(error.value).startswith(message)


def test_files_of_several_dialects_in_one_folder_are_each_read_as_what_they_are() -> None:
    reading = read(
        {
            "n.yml": GO,
            "a.json": '{"go": [{"data": [{"text": "to "}, {"text": "Oslo", "entity": "city"}]}]}',
            "go.conll": "to O\nBonn B-city\n",
        }
    )
    assert [(record.id, record.utterance, record.skill) for record in reading.records] == [
        ("mine:n.yml#4", "to Rome", "go"),
        ("mine:a.json#/go/0", "to Oslo", "go"),
        ("mine:go.conll#1", "to Bonn", "go"),
    ]


def test_two_intents_with_the_same_skill_are_rejected() -> None:
    reading = read({"a.json": '{"train": [["a", "to go"], ["b", "to_go"], ["c", "to go"]]}'})
    assert list_outcomes(reading) == (
        ["a", "c"],
        [
            "a.json#/train/1: found the intent 'to_go', which has the skill of 'to go', expected one skill for each intent; "
            "rename one of the two intents"
        ],
    )


@pytest.mark.parametrize(
    "files",
    [
        {"a.jsonl": json.dumps({"annot_utt": "[" + " " * 300_000, "intent": "a"})},
        {"a.jsonl": json.dumps({"annot_utt": "[a:b] " * 20_000, "intent": "a"})},
        {"a.json": json.dumps({"luis_schema_version": "7", "utterances": [], "patterns": [{"pattern": "{" + " " * 300_000}]})},
        {"n.yml": GO + "    - " + "[" * 300_000 + "\n"},
        {"n.yml": GO + "    - " + "[a](b) " * 10_000 + "\n"},
        {"n.yml": GO + "    - " + "[a] " * 20_000 + "\n"},
        {"n.yml": GO + "    -" + " " * 300_000 + "\n\t- x\n"},
        {"a.conll": "# " + "a" * 300_000 + "\na O\n"},
        {"a.conll": "a" + " " * 300_000 + "B-x\n"},
        {"a.json": json.dumps({"languageModel": {"intents": [{"name": "a", "samples": ["{" + " " * 300_000]}]}})},
        {"a_usersays_en.json": json.dumps([{"data": [{"text": "@a" * 150_000}], "isTemplate": True}])},
    ],
)  # fmt: skip
def test_a_long_text_takes_time_in_proportion_to_its_length(files: dict[str, str]) -> None:
    start = time.process_time()
    read(files)
    assert time.process_time() - start < 5


def test_a_record_of_a_megabyte_is_rejected_without_its_text() -> None:
    reading = read({"a.json": json.dumps({"train": [["x" * 2**20, "go"], ["ok", "go"]]})})
    [rejection] = reading.rejections
    assert (rejection.reason, rejection.utterance) == (Reason.TOO_LONG, None)
    assert [record.utterance for record in reading.records] == ["ok"]
