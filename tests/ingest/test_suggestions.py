"""What a message suggests is accepted: applied to the input, it gives no message any more."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exemplars.core.errors import UserError
from exemplars.core.licenses import find_license_mistake
from exemplars.core.parameter_validator import find_faults
from exemplars.core.records import Exemplar, Rejection
from exemplars.dataset.recognizers import Recognizers
from stages.compile.exemplars import compile_record
from stages.compile.lexicon import Lexicon
from stages.ingest.jsonl import parse_jsonl_file
from stages.ingest.params import IngestParams
from stages.ingest.reading import SourceInfo
from stages.ingest.skills import parse_skill_file
from stages.ingest.tools import parse_tools

SOURCE = SourceInfo("mine", "MIT")
GUESS = re.compile(r"did you mean `?(?P<quote>['\"]?)(?P<name>.*?)(?P=quote)`?\?")
SKILL = """\
#### Prompt:
order(bread="[which bread]", count=[how many])
Orders bread.

#### Parameters:
count: integer, optional

#### Examples:
### User: two rye loaves
### Assistant: order(bread="rye", count=2)
"""
TOOL = {
    "function": {
        "name": "order",
        "parameters": {
            "properties": {"bread": {"type": "string"}, "count": {"type": "integer"}},
            "required": ["bread"],
        },
    }
}
PARAMS = {
    "context_turns": 4,
    "sources": {"mine": {"format": "jsonl", "path": "raw", "license": "MIT", "on_bad_file": "fail"}},
}


def misspell(name: str, draw: Any) -> str:
    """Misspell a name: a letter is left out, doubled, changed, or swapped with the next."""
    index = draw(st.integers(0, len(name) - 1))
    before, letter, after = name[:index], name[index], name[index + 1 :]
    wrong = draw(
        st.sampled_from(
            [
                before + after,
                before + 2 * letter + after,
                f"{before}x{after}",
                before + after[:1] + letter + after[1:],
            ]
        )
    )
    assume(wrong not in ("", name))
    return str(wrong)


def make_lines() -> list[dict[str, Any]]:
    order = {"utterance": "two rye loaves, two", "skill": "order"}
    listed = [
        {"slot": "bread", "value": "rye", "start": 4, "end": 7},
        {"slot": "count", "value": 2, "surface": "two"},
    ]
    return [
        {
            **order,
            "arguments": {"bread": "rye"},
            "spans": {"bread": [4, 7]},
            "mode": "normal",
            "split": "train",
        },
        {**order, "arguments": listed, "license": "Apache-2.0", "group": "g"},
        {**order, "mode": "negative", "context": [{"speaker": "assistant", "utterance": "Bread?"}]},
        {"utterance": "hello", "mode": "none", "split": "validation", "license": "MIT OR CC-BY-4.0"},
    ]


LINES = [json.dumps(line) for line in make_lines()]
NAMES = st.one_of(
    *(
        st.tuples(
            st.just(line), st.sampled_from(sorted(set(re.findall(r'"([\w .-]+)"', line)) - {"utterance"}))
        )
        for line in LINES
    )
)


def read_line(line: str) -> list[str]:
    return [rejection.message for rejection in parse_jsonl_file(SOURCE, "a.jsonl", line.encode()).rejections]


@given(st.data(), NAMES)
def test_a_guess_at_what_a_line_of_jsonl_means_is_accepted(data: Any, line_and_name: tuple[str, str]) -> None:
    line, name = line_and_name
    wrong = misspell(name, data.draw)
    damaged = line.replace(f'"{name}"', f'"{wrong}"', 1)
    for message in read_line(damaged):
        guess = GUESS.search(message)
        # A guess for another place, which the wrong word has made a mistake as well, is not about this word.
        if guess is not None and guess["name"] != wrong:
            assert read_line(damaged.replace(f'"{wrong}"', f'"{guess["name"]}"', 1)) == []


@pytest.mark.parametrize(
    ("line", "messages"),
    [
        ('{"utterance": "x", "mode": "no_call", "skill": "s"}', ["a.jsonl:1: found mode 'no_call', expected one of normal, extended, negative, none; correct the mode"]),
        ('{"utterance": "x", "mode": "positive"}', ["a.jsonl:1: found mode 'positive', expected one of normal, extended, negative, none; correct the mode"]),
        ('{"utterance": "x", "skill": "s", "arguments": [{"slot": "a", "value": "x", "star": 0}]}', ["a.jsonl:1: object contains unknown field `star` - at `$.arguments[0]` in '{\"utterance\": \"x\", \"skill\": \"s\", \"arguments\": [{\"slot\": \"a\"…'; did you mean 'start'?"]),
        ('{"utterance": "x", "skill": "s", "skil": "t"}', ["a.jsonl:1: object contains unknown field `skil` in '{\"utterance\": \"x\", \"skill\": \"s\", \"skil\": \"t\"}'; write a JSON object with utterance, skill, arguments, spans, exemplar, mode, reply, turn, call, calls, speaker, context, group, service, license, split"]),
    ],
)  # fmt: skip
def test_a_line_of_jsonl_gets_no_guess_that_would_contradict_it(line: str, messages: list[str]) -> None:
    assert read_line(line) == messages


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ('{"text": "call Ann", "skill": "call"}', "did you mean 'utterance'?"),
        ('{"utterance": "call Ann", "intent": "call"}', "did you mean 'skill'?"),
        ('{"utterance": "x", "skill": "call", "arguments": "{}"}', "write the arguments as an object, not as a text that holds one"),
        ('{"utterance": "x", "skill": "call", "arguments": {"who": null}}', "leave out an argument that has no value"),
        ('{"utterance": "x", "skill": "call", "arguments": [{"slot": "who", "value": null}]}', "leave out an argument that has no value"),
    ],
)  # fmt: skip
def test_what_logs_of_calls_often_have_is_answered_in_their_terms(line: str, fix: str) -> None:
    [message] = read_line(line)
    assert message.endswith(f"; {fix}")


def test_a_key_of_another_format_is_no_guess_if_the_line_has_the_key_it_means() -> None:
    [message] = read_line('{"utterance": "call Ann", "text": "Call Ann!"}')
    assert GUESS.search(message) is None


def lint(text: str) -> list[tuple[str, str, str]]:
    diagnostics = parse_skill_file(SOURCE, "order.md", text.encode(), "other")[1]
    return [(diagnostic.code, diagnostic.expected, diagnostic.fix) for diagnostic in diagnostics]


@given(
    st.data(),
    st.sampled_from(['bread="rye"', "count=2", "count: integer", "#### Parameters", "#### Examples"]),
)
def test_a_guess_at_what_a_skill_file_means_is_accepted(data: Any, place: str) -> None:
    name = re.search(r"\w+", place)[0]  # type: ignore[index]
    wrong = misspell(name, data.draw)
    damaged = SKILL.replace(place, place.replace(name, wrong))
    for _, _, fix in lint(damaged):
        guess = GUESS.search(fix)
        if guess is not None:
            meant = guess["name"].strip("#: ")
            assert lint(damaged.replace(place.replace(name, wrong), place.replace(name, meant))) == []


@pytest.mark.parametrize(
    ("call", "expected", "fix"),
    [
        ('order(brad="rye", bread="bun")', "one of bread, count", "correct the call"),
        ('order("rye", count=2)', "bread=…", "correct the call"),
        ('order(2, bread="rye")', "count=…", "correct the call"),
        ("order(bread=2)", "a value of type string, such as bread='2'", "correct the call"),
        ('order(bread="rye", count="2")', "a value of type integer, such as count=2", "correct the call"),
        ('order(bread="rye", count=2.0)', "a value of type integer, such as count=2", "correct the call"),
    ],
)
def test_an_example_of_a_call_names_what_is_still_free_and_has_the_type(
    call: str, expected: str, fix: str
) -> None:
    text = SKILL.replace('order(bread="rye", count=2)', call)
    assert lint(text)[0][1:] == (expected, fix)
    example = re.search(r"such as (.*)", expected)
    if example is not None:
        name = example[1].partition("=")[0]
        assert lint(text.replace(call, re.sub(rf"{name}=[^,)]+", example[1], call))) == []


def test_a_section_that_is_there_already_is_not_suggested() -> None:
    [(code, _, fix)] = lint(
        SKILL.replace("#### Examples:", "#### Paramters:\ncount: integer\n#### Examples:")
    )[:1]
    assert (code, fix) == ("unknown_section", "rename or remove the section")


@given(st.data(), st.sampled_from(["context_turns", "sources", "format", "path", "license", "on_bad_file"]))
def test_a_guess_at_a_key_of_the_parameters_is_accepted(data: Any, name: str) -> None:
    wrong = misspell(name, data.draw)
    text = json.dumps(PARAMS)
    for fault in find_faults(("ingest",), json.loads(text.replace(f'"{name}"', f'"{wrong}"')), IngestParams):
        guess = GUESS.search(fault.fix)
        if guess is not None:
            assert (
                list(
                    find_faults(
                        ("ingest",), json.loads(text.replace(f'"{name}"', f'"{guess["name"]}"')), IngestParams
                    )
                )
                == []
            )


def test_a_key_of_the_parameters_that_is_there_already_is_not_suggested() -> None:
    [fault] = find_faults(("ingest",), {**PARAMS, "source": {}}, IngestParams)
    assert fault.fix == "remove it, or correct its name"


@given(st.data())
def test_a_guess_at_a_required_parameter_of_a_tool_is_accepted(data: Any) -> None:
    wrong = misspell("bread", data.draw)
    text = json.dumps([TOOL])
    with pytest.raises(UserError) as caught:
        parse_tools("tools.json", text.replace('["bread"]', f'["{wrong}"]').encode())
    guess = GUESS.search(str(caught.value))
    if guess is not None:
        assert parse_tools("tools.json", text.replace('["bread"]', f'["{guess["name"]}"]').encode())


@given(
    st.data(),
    st.sampled_from(
        [
            "MIT",
            "Apache-2.0",
            "CC-BY-SA-4.0",
            "GPL-2.0-only WITH Classpath-exception-2.0",
            "(MIT OR ODbL-1.0) AND CC0-1.0",
        ]
    ),
)
def test_a_guess_at_a_license_is_accepted(data: Any, expression: str) -> None:
    mistake = find_license_mistake(misspell(expression, data.draw))
    guess = mistake and GUESS.search(mistake[1])
    if guess:
        assert find_license_mistake(guess["name"]) is None


NUMBERS = st.sampled_from(["2", "two", "3", "three"])


@given(st.lists(NUMBERS, min_size=2, max_size=6), st.sampled_from(["2", "3"]))
def test_every_span_that_an_ambiguous_value_may_have_is_accepted(words: list[str], value: str) -> None:
    utterance = ", ".join(words)
    skills = {"order": parse_tools("tools.json", json.dumps([TOOL]).encode())[0]}
    line = {"utterance": utterance, "skill": "order", "arguments": {"count": int(value)}}

    def compile_line() -> Any:
        [record] = parse_jsonl_file(SOURCE, "a.jsonl", json.dumps(line).encode()).records
        return compile_record(record, skills, Lexicon(Recognizers()))

    spans = re.findall(r"(\d+):(\d+)", getattr(compile_line(), "message", ""))
    for start, end in spans:
        line["spans"] = {"count": [int(start), int(end)]}
        assert not hasattr(compile_line(), "reason")
    assume(spans)


def test_a_template_that_is_expected_is_quoted_whole_and_accepted() -> None:
    skills = {"order": parse_tools("tools.json", json.dumps([TOOL]).encode())[0]}
    long = "please, for the party on Saturday in the garden of my grandmother, "
    line = {
        "utterance": f"{long}two rye loaves",
        "skill": "order",
        "arguments": {"bread": "rye", "count": 2},
        "exemplar": f"{long}<count> <bread> loaves",
    }
    [record] = parse_jsonl_file(SOURCE, "a.jsonl", json.dumps(line).encode()).records
    damaged = msgspec.structs.replace(record, exemplar=f"{long}<count> <bread> loafs")
    rejection = compile_record(damaged, skills, Lexicon(Recognizers()))
    assert isinstance(rejection, Rejection)
    assert f"expected '{line['exemplar']}' from the utterance and its arguments" in rejection.message
    assert isinstance(compile_record(record, skills, Lexicon(Recognizers())), Exemplar)
