from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.digests import hash_row
from exemplars.core.records import Argument, Exemplar, Grounding
from exemplars.dataset.templates import write_template
from stages.curate.privacy.findings import Finding, Kind, finder
from stages.curate.privacy.surrogates import (
    Replacement,
    group_surrogates,
    replaced,
    surrogate,
    unlabelled,
    with_surrogates,
)
from tests.curate.privacy.test_findings import NAMES
from tests.curate.rows import located, row

KEY = b"a key of the tests, not a secret"
SAMPLES = {
    Kind.EMAIL: "maria.k@mail.example.com",
    Kind.PHONE: "+1 (415) 286-4371",
    Kind.CARD: "4111 1111 1111 1111",
    Kind.IBAN: "DE89 3704 0044 0532 0130 00",
    Kind.SSN: "536-22-8126",
    Kind.IP: "10.1.2.3",
    Kind.ADDRESS: "12 Old Mill Road",
    Kind.PERSON: "Maria Kowalski",
}


@pytest.mark.parametrize("kind", list(Kind))
def test_a_surrogate_is_another_text_of_the_same_kind_and_always_the_same(kind: Kind) -> None:
    text = SAMPLES[kind]
    made = surrogate(text, kind, NAMES, KEY, "g")
    assert made != text
    assert made == surrogate(text, kind, NAMES, KEY, "g")
    assert made != surrogate(text, kind, NAMES, b"another key of these tests", "g")
    if kind is not Kind.SSN:  # Numbers that begin with 9 were never given to anybody.
        found = finder(NAMES, 0.3)(f"note {made} please")
        assert [one.kind for one in found] == [kind]


def test_the_form_of_numbers_stays() -> None:
    made = surrogate("+1 (415) 286-4371", Kind.PHONE, NAMES, KEY, "g")
    assert [letter for letter in made if not letter.isdigit()] == list("+ () -")
    assert len(made) == len("+1 (415) 286-4371")


def test_texts_are_replaced_whole_and_the_longest_first() -> None:
    text, places = replaced("Ann and Anna Lee, Ann.", {"Ann": "Eve", "Anna Lee": "Mia Roe"})
    assert text == "Eve and Mia Roe, Eve."
    assert places == [Replacement(0, 3, "Eve"), Replacement(8, 16, "Mia Roe"), Replacement(18, 21, "Eve")]


def test_a_row_is_replaced_everywhere_and_its_spans_stay_exact() -> None:
    text = "call 415-286-4371 about Boston for Maria"
    one = row(
        "1",
        text,
        arguments=(located("what", "Boston", text), located("who", "Maria", text)),
        before=("Maria?",),
    )
    made = with_surrogates(one, {"415-286-4371": "+1 555 0100", "Maria": "Guadalupe"})
    assert made.utterance == "call +1 555 0100 about Boston for Guadalupe"
    assert made.exemplar == "call +1 555 0100 about <what> for <who>"
    assert [(a.value, a.surface, a.start, a.end) for a in made.arguments] == [
        ("Boston", "Boston", 23, 29),
        ("Guadalupe", "Guadalupe", 34, 43),
    ]
    assert [turn.utterance for turn in made.context] == ["Guadalupe?"]
    assert made.digest == hash_row(made.utterance, made.context, "call", made.mode, made.arguments)


def test_a_label_is_not_torn() -> None:
    text = "play Maria Maria now"
    one = row("1", text, arguments=(located("song", "Maria now", text),))
    assert with_surrogates(one, {"Maria Maria": "Eve Eve"}).utterance == text


def test_what_an_argument_labels_is_no_leak() -> None:
    text = "call Maria or 415-286-4371"
    one = row("1", text, arguments=(located("who", "Maria", text),))
    found = [Finding(5, 10, Kind.PERSON, 0.7), Finding(14, 26, Kind.PHONE, 0.4)]
    assert unlabelled(one, found) == [found[1]]


def test_a_group_has_one_surrogate_for_a_text_and_another_group_another() -> None:
    rows = [
        row("1", "note Maria Kowalski", group="g"),
        row("2", "yes", before=("Is Maria Kowalski right?",), group="g"),
        row("3", "note Maria Kowalski", group="h"),
    ]
    find = finder(NAMES, 0.4)
    maps = group_surrogates([(one, find(one.utterance)) for one in rows], find, NAMES, KEY)
    assert sorted(maps) == ["g", "h"]
    assert list(maps["g"]) == list(maps["h"]) == ["Maria Kowalski"]
    assert maps["g"] != maps["h"]


WORDS = st.lists(
    st.sampled_from(["call", "Ann", "Bo Li", "now", "👍", "é", "Ann's", "x1"]), min_size=1, max_size=8
)


@given(words=WORDS, picks=st.sets(st.integers(0, 7)), new=st.text("abé 👍", max_size=12))
def test_surrogates_keep_every_span_exact(words: list[str], picks: set[int], new: str) -> None:
    text, spans, position = " ".join(words), [], 0
    for number, word in enumerate(words):
        if number in picks:
            spans.append((f"s{number}", word, position))
        position += len(word) + 1
    arguments = tuple(
        Argument(slot, word, word, start, start + len(word), Grounding.VERBATIM)
        for slot, word, start in spans
    )
    one: Exemplar = row("1", text, arguments=arguments)
    made = with_surrogates(one, {"Ann": new or "z", "Bo Li": "Q"})
    for argument in made.arguments:
        assert made.utterance[argument.start : argument.end] == argument.surface
    assert made.exemplar == write_template(made.utterance, made.arguments)
    assert len(made.arguments) == len(arguments)
