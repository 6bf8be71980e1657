"""What a writer of a dialect writes is read as it was: the same text, intent and spans."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exemplars.core.records import Exemplar
from stages.compile.exemplars import compile_record
from stages.compile.lexicon import Lexicon
from stages.ingest.nlu.examples import Entity, Example
from stages.ingest.nlu.records import make_name
from tests.ingest.nlu.writers import WRITERS, read, write_clinc, write_rasa

WORDS = st.text("abcéßñ中😀🍕\"'\\-.,?!$%19İ", min_size=1, max_size=6)
INTENTS = st.sampled_from(("book", "get weather", "faq/ask_name", "größe", "2nd", "a.b-c"))
SLOTS = ("city", "from_city", "date.time", "größe", "x2")


@st.composite
def examples(draw: st.DrawFn) -> Example:
    words = draw(st.lists(WORDS, min_size=1, max_size=8))
    starts = [sum(len(word) + 1 for word in words[:index]) for index in range(len(words))]
    bounds = draw(st.sets(st.integers(0, len(words)), max_size=8))
    slots = iter(draw(st.permutations(SLOTS)))
    entities = []
    ordered = sorted(bounds)
    for first, last in zip(ordered[::2], ordered[1::2], strict=False):
        if len(entities) < len(SLOTS):
            entities.append(Entity(next(slots), starts[first], starts[last - 1] + len(words[last - 1])))
    return Example("", " ".join(words), draw(INTENTS), tuple(entities))


@pytest.mark.parametrize("dialect", WRITERS)
@settings(max_examples=30)
@given(written=st.lists(examples(), min_size=1, max_size=5, unique_by=lambda example: example.text))
def test_every_dialect_gives_back_text_intent_and_spans(dialect: str, written: list[Example]) -> None:
    reading = read(WRITERS[dialect](written))
    assert reading.rejections == ()
    expected = [
        (
            example.text,
            make_name(example.intent.replace("/", " ") if dialect == "dialogflow" else example.intent),
            [(entity.slot, entity.start, entity.end) for entity in example.entities],
        )
        for example in written
    ]
    found = [
        (record.utterance, record.skill, [(item.slot, item.start, item.end) for item in record.arguments])
        for record in reading.records
    ]
    assert sorted(found) == sorted(expected)


@settings(max_examples=30)
@given(written=st.lists(examples(), min_size=1, max_size=3, unique_by=lambda example: example.text))
def test_every_record_compiles_with_exactly_the_given_spans(written: list[Example]) -> None:
    reading = read(write_rasa(written))
    skills = {skill.name: skill for skill in reading.skills}
    for record in reading.records:
        exemplar = compile_record(record, skills, Lexicon(reading.recognizers))
        assert isinstance(exemplar, Exemplar), exemplar
        assert [(item.slot, item.start, item.end) for item in exemplar.arguments] == [
            (item.slot, item.start, item.end) for item in record.arguments
        ]


@settings(max_examples=30)
@given(written=examples(), value=st.text("abc 2é", min_size=1).filter(str.strip))
def test_a_value_and_a_role_in_braces_are_kept(written: Example, value: str) -> None:
    marked = written._replace(
        entities=tuple(entity._replace(type="thing", value=value) for entity in written.entities)
    )
    [record] = read(write_rasa([marked])).records
    assert [(item.slot, item.value) for item in record.arguments] == [
        (entity.slot, value) for entity in marked.entities
    ]


@settings(max_examples=30)
@given(written=st.lists(examples(), min_size=1, max_size=5))
def test_clinc_gives_back_text_intent_and_split(written: list[Example]) -> None:
    records = read(write_clinc(written)).records
    assert [(record.utterance, record.skill, record.split) for record in records] == [
        (example.text, make_name(example.intent), "train") for example in written
    ]
