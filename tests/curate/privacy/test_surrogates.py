from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.digests import hash_row
from exemplars.core.records import Argument, Exemplar, Grounding
from exemplars.dataset.templates import write_template
from stages.curate.privacy.findings import Finding, PersonalDataKind, build_finder
from stages.curate.privacy.replacement import Replacement, apply_surrogates, replace_texts
from stages.curate.privacy.surrogate_texts import make_surrogate
from stages.curate.privacy.surrogates import assign_surrogates, find_unlabeled
from tests.curate.rows import LEXICONS, make_argument, make_row, make_turn

NAMES = LEXICONS.names
KEY = b"a key of the tests, not a secret"
SAMPLES = {
    PersonalDataKind.EMAIL: "maria.k@mail.example.com",
    PersonalDataKind.PHONE: "+1 (415) 286-4371",
    PersonalDataKind.CARD: "4111 1111 1111 1111",
    PersonalDataKind.IBAN: "DE89 3704 0044 0532 0130 00",
    PersonalDataKind.SSN: "536-22-8126",
    PersonalDataKind.IP: "10.1.2.3",
    PersonalDataKind.ADDRESS: "12 Old Mill Road",
    PersonalDataKind.PERSON: "Maria Kowalski",
}


@pytest.mark.parametrize("kind", list(PersonalDataKind))
def test_a_surrogate_is_a_different_text_of_the_same_kind_and_always_the_same(kind: PersonalDataKind) -> None:
    text = SAMPLES[kind]
    surrogate = make_surrogate(text, kind, NAMES, KEY, "g")
    assert surrogate != text
    assert surrogate == make_surrogate(text, kind, NAMES, KEY, "g")
    assert surrogate != make_surrogate(text, kind, NAMES, b"another key of these tests", "g")
    if kind is not PersonalDataKind.SSN:  # Numbers that begin with 9 were never assigned to anybody.
        findings = build_finder(NAMES, 0.3)(f"note {surrogate} please")
        assert [finding.kind for finding in findings] == [kind]


def test_the_form_of_numbers_stays() -> None:
    surrogate = make_surrogate("+1 (415) 286-4371", PersonalDataKind.PHONE, NAMES, KEY, "g")
    assert [letter for letter in surrogate if not letter.isdigit()] == list("+ () -")
    assert len(surrogate) == len("+1 (415) 286-4371")


def test_texts_are_replaced_as_whole_words_and_the_longest_first() -> None:
    text, replacements = replace_texts("Ann and Anna Lee, Ann.", {"Ann": "Eve", "Anna Lee": "Mia Roe"})
    assert text == "Eve and Mia Roe, Eve."
    assert replacements == [
        Replacement(0, 3, "Eve"),
        Replacement(8, 16, "Mia Roe"),
        Replacement(18, 21, "Eve"),
    ]


def test_surrogates_are_applied_everywhere_in_a_row_and_its_spans_stay_exact() -> None:
    text = "call 415-286-4371 about Boston for Maria"
    row = make_row(
        "1",
        text,
        arguments=(make_argument("what", "Boston", text), make_argument("who", "Maria", text)),
        before=("Maria?",),
    )
    [replaced] = apply_surrogates([row], {"415-286-4371": "+1 555 0100", "Maria": "Guadalupe"})
    assert replaced.utterance == "call +1 555 0100 about Boston for Guadalupe"
    assert replaced.exemplar == "call +1 555 0100 about <what> for <who>"
    assert [
        (argument.value, argument.surface, argument.start, argument.end) for argument in replaced.arguments
    ] == [("Boston", "Boston", 23, 29), ("Guadalupe", "Guadalupe", 34, 43)]
    assert [turn.utterance for turn in replaced.context] == ["Guadalupe?"]
    assert replaced.digest == hash_row(replaced)


def test_a_label_is_not_torn() -> None:
    text = "play Maria Maria now"
    row = make_row("1", text, arguments=(make_argument("song", "Maria now", text),))
    assert apply_surrogates([row], {"Maria Maria": "Eve Eve"})[0].utterance == text


def test_a_finding_in_an_argument_is_labeled() -> None:
    text = "call Maria or 415-286-4371"
    row = make_row("1", text, arguments=(make_argument("who", "Maria", text),))
    findings = [
        Finding(5, 10, PersonalDataKind.PERSON, 0.7),
        Finding(14, 26, PersonalDataKind.PHONE, 0.4),
    ]
    assert find_unlabeled([row], findings) == [findings[1]]


def test_a_text_has_one_surrogate_within_a_group_and_different_ones_across_groups() -> None:
    rows = [
        make_row("1", "note Maria Kowalski", group="g"),
        make_row("2", "yes", before=("Is Maria Kowalski right?",), group="g"),
        make_row("3", "note Maria Kowalski", group="h"),
    ]
    find = build_finder(NAMES, 0.4)
    surrogates = assign_surrogates([(row, find(row.utterance)) for row in rows], find, NAMES, KEY)
    assert sorted(surrogates) == ["g", "h"]
    assert list(surrogates["g"]) == list(surrogates["h"]) == ["Maria Kowalski"]
    assert surrogates["g"] != surrogates["h"]


WORDS = st.lists(
    st.sampled_from(["call", "Ann", "Bo Li", "now", "👍", "é", "Ann's", "x1"]), min_size=1, max_size=8
)


@given(words=WORDS, picks=st.sets(st.integers(0, 7)), new=st.text("abé 👍", max_size=12))
def test_surrogates_keep_every_span_exact(words: list[str], picks: set[int], new: str) -> None:
    text, arguments, position = " ".join(words), [], 0
    for index, word in enumerate(words):
        if index in picks:
            arguments.append(
                Argument(f"s{index}", word, word, position, position + len(word), Grounding.VERBATIM)
            )
        position += len(word) + 1
    row = make_row("1", text, arguments=tuple(arguments))
    [replaced] = apply_surrogates([row], {"Ann": new or "z", "Bo Li": "Q"})
    for argument in replaced.arguments:
        assert replaced.utterance[argument.start : argument.end] == argument.surface
    assert replaced.exemplar == write_template(replaced.utterance, replaced.arguments)
    assert len(replaced.arguments) == len(arguments)


def assign(*rows: Exemplar) -> dict[str, str]:
    """Return the surrogates of rows that are one group."""
    find = build_finder(NAMES, 0.4)
    found = [(row, find_unlabeled([row], find(row.utterance))) for row in rows]
    return assign_surrogates(found, find, NAMES, KEY)["g"]


def test_a_name_keeps_its_case_and_loses_every_part() -> None:
    text = "Mary de la Cruz, MARY DE LA CRUZ or mary de la cruz"
    surrogates = assign(make_row("1", text, group="g"))
    mixed, capitals, lower = (
        surrogates[name] for name in ("Mary de la Cruz", "MARY DE LA CRUZ", "mary de la cruz")
    )
    assert (capitals, lower) == (mixed.upper(), mixed.lower())
    assert len(mixed.split()) == 2
    assert (
        apply_surrogates([make_row("1", text)], surrogates)[0].utterance == f"{mixed}, {capitals} or {lower}"
    )


def test_a_part_of_a_name_that_is_elsewhere_alone_has_the_same_part_of_the_surrogate() -> None:
    surrogates = assign(
        make_row("1", "tell Mary McDonald I am late", group="g"),
        make_row("2", "is McDonald here? is Mary?", group="g"),
    )
    assert sorted(surrogates) == ["Mary", "Mary McDonald", "McDonald"]
    assert surrogates["Mary McDonald"] == f"{surrogates['Mary']} {surrogates['McDonald']}"


def test_a_labeled_name_changes_as_a_whole_where_a_part_of_it_has_a_surrogate() -> None:
    text = "call Mary Smith"
    labeled = make_row("1", text, arguments=(make_argument("who", "Mary Smith", text),), group="g")
    surrogates = assign(labeled, make_row("2", "I mean Mary, please", group="g"))
    assert sorted(surrogates) == ["Mary", "Mary Smith"]
    [replaced] = apply_surrogates([labeled], surrogates)
    assert replaced.utterance == f"call {surrogates['Mary Smith']}"
    assert replaced.arguments[0].value == surrogates["Mary Smith"]


def test_a_part_of_a_word_with_a_hyphen_or_an_apostrophe_is_not_replaced() -> None:
    surrogates = {"Jean": "Eve", "Brien": "Roe", "Mary": "Mia", "555-0100": "555-0199"}
    text = "Jean-Luc, Anne-Jean, O'Brien, Mary's or Mary at tel-555-0100"
    assert replace_texts(text, surrogates)[0] == "Jean-Luc, Anne-Jean, O'Brien, Mia's or Mia at tel-555-0199"


def test_a_name_that_crosses_a_label_stays_whole() -> None:
    text = "play Maria Kowalski Live now"
    row = make_row("1", text, arguments=(make_argument("song", "Kowalski Live", text),))
    assert apply_surrogates([row], {"Maria Kowalski": "Eve Roe", "Maria": "Eve"})[0].utterance == text


def test_what_another_call_of_the_turn_labels_is_labeled_and_not_torn() -> None:
    text = "call Maria and play Maria Maria now"
    turn = make_turn(
        "1",
        text,
        ("call", (make_argument("who", "Maria", text),)),
        ("play", (make_argument("song", "Maria now", text),)),
    )
    finding = Finding(5, 10, PersonalDataKind.PERSON, 0.7)
    assert find_unlabeled(turn, [finding]) == find_unlabeled(turn[:1], [finding]) == []
    assert find_unlabeled(turn[1:], [finding]) == [finding]
    replaced = apply_surrogates(turn, {"Maria Maria": "Eve Eve", "Maria": "Eve"})
    assert {row.utterance for row in replaced} == {"call Eve and play Maria Maria now"}


def test_surrogates_replace_the_reply_and_the_accepted_values() -> None:
    argument = Argument("who", "Maria", "Maria", 5, 10, Grounding.VERBATIM, ("Maria K",))
    row = make_row("1", "call Maria", arguments=(argument,), reply="Calling Maria.")
    [replaced] = apply_surrogates([row], {"Maria": "Eve"})
    assert (replaced.reply, replaced.arguments[0].value, replaced.arguments[0].accepted) == (
        "Calling Eve.",
        "Eve",
        ("Eve K",),
    )
