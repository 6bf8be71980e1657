"""Rows as tokens and targets."""

from __future__ import annotations

import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.ledger import Problem
from exemplars.core.records import Argument, Exemplar, Grounding, Reason, Speaker, Turn
from exemplars.models.tagger.decoding import decode_tags, list_spans
from exemplars.models.tagger.features import EncodedText, Target, build_target, encode_text, find_mentions
from exemplars.models.tagger.vocabulary import build_vocabulary
from tests.models.tagger.rows import ROWS, SKILLS, make_row, make_tokenizer, meant, said

np = pytest.importorskip("numpy")
pytest.importorskip("transformers")
VOCABULARY = build_vocabulary(SKILLS, ROWS)
BY_NAME = {skill.name: skill for skill in SKILLS}


def encode(utterance: str, *context: Turn, max_tokens: int = 64) -> EncodedText:
    encoded = encode_text(make_tokenizer(), utterance, Speaker.USER, context, max_tokens)
    assert not isinstance(encoded, Problem)
    return encoded


def target_of(exemplar: Exemplar, max_tokens: int = 64) -> tuple[EncodedText, Target | Problem]:
    encoded = encode(exemplar.utterance, *exemplar.context, max_tokens=max_tokens)
    return encoded, build_target(exemplar, encoded, VOCABULARY, BY_NAME.get(exemplar.skill or ""))


def test_the_latest_turn_follows_the_utterance_and_both_have_segments() -> None:
    encoded = encode("yes", Turn(Speaker.USER, "mum"), Turn(Speaker.ASSISTANT, "work"))
    tokens = make_tokenizer().convert_ids_to_tokens(encoded.input_ids)
    assert [token for token in tokens if not token.startswith("##")][:4] == ["[CLS]", "y", "[SEP]", "a"]
    assert encoded.texts == ["yes", "work", "mum"]
    assert [encoded.offsets[place] for place, turn in enumerate(encoded.turns) if turn == 1] == [(0, 4)]
    assert [segment for segment, turn in zip(encoded.segments, encoded.turns, strict=True) if turn == 0] == [
        0
    ] * 3


def test_the_oldest_turns_that_do_not_fit_are_left_out_whole() -> None:
    turns = (Turn(Speaker.USER, "mum " * 20), Turn(Speaker.ASSISTANT, "work"))
    assert encode("yes", *turns, max_tokens=30).texts == ["yes", "work"]


def test_turns_that_are_not_encoded_still_count_for_the_marks() -> None:
    context = (Turn(Speaker.USER, "ring mum"), Turn(Speaker.ASSISTANT, "when"), Turn(Speaker.USER, "now"))
    encoded = encode_text(make_tokenizer(), "mum", Speaker.USER, context, 64, context_turns=1)
    assert not isinstance(encoded, Problem)
    assert encoded.texts == ["mum", "now"]
    assert {len(mark) for mark in encoded.marks} == {10}
    assert len(encoded.marks) == len(encoded.input_ids)
    assert [encoded.marks[place] for place, turn in enumerate(encoded.turns) if turn == 0] == [
        (1, 0, 0, 0, 1, 0, 0, 0, 0, 0)
    ] * encoded.turns.count(0)


def test_an_utterance_that_does_not_fit_is_a_problem_and_is_not_cut() -> None:
    problem = encode_text(make_tokenizer(), "ring " * 20, Speaker.USER, (), 16)
    assert isinstance(problem, Problem)
    assert problem.reason is Reason.TOO_LONG
    assert problem.sentence.startswith(
        "found an utterance of 22 tokens, expected at most 16 tokens, the window of the encoder; shorten it"
    )


def test_a_long_text_is_refused_in_seconds() -> None:
    start = time.process_time()
    long = "A 5 " * 25_000
    assert isinstance(encode_text(make_tokenizer(), long, Speaker.USER, (), 64), Problem)
    assert encode("yes", Turn(Speaker.USER, long)).texts == ["yes"]
    assert time.process_time() - start < 20


def test_tags_and_choices_are_those_of_the_row() -> None:
    encoded, target = target_of(ROWS[1])
    assert isinstance(target, Target)
    assert (target.skill, target.choices) == (1, [0, 2])
    tagged = [(encoded.offsets[place], tag) for place, tag in enumerate(target.tags) if tag]
    assert tagged == [((5, 6), 1), ((6, 7), 2), ((7, 8), 2), ((12, 16), 3)]


def test_a_value_of_an_earlier_turn_is_tagged_there() -> None:
    encoded, target = target_of(ROWS[6])
    assert isinstance(target, Target)
    assert target.choices == [1, 0]
    tagged = [(encoded.turns[place], encoded.offsets[place]) for place, tag in enumerate(target.tags) if tag]
    assert tagged == [(1, (3, 4)), (1, (4, 5)), (1, (5, 6)), (1, (6, 7))]


def test_a_value_that_only_a_turn_without_room_says_is_a_problem() -> None:
    row = make_row(
        "yes", "weather", meant("location", "Rome", "context"), before=("Rome " + "x " * 40, "ok?")
    )
    _, problem = target_of(row, max_tokens=24)
    assert isinstance(problem, Problem)
    assert (problem.reason, problem.slot) == (Reason.VALUE_NOT_IN_PROMPT, "location")
    assert "found the value of 'location' 2 turns before, expected one of the 1 turns" in problem.sentence


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (make_row("sing", "sing"), Reason.UNKNOWN_SKILL),
        (make_row("ring x", "call", said("volume", "x")), Reason.UNKNOWN_SLOT),
    ],
)
def test_what_no_train_row_has_is_a_problem(row: Exemplar, reason: Reason) -> None:
    _, problem = target_of(row)
    assert isinstance(problem, Problem)
    assert problem.reason is reason


def test_a_row_without_a_call_has_no_tags() -> None:
    _, target = target_of(ROWS[7])
    assert isinstance(target, Target)
    assert (target.skill, set(target.tags), target.choices) == (0, {0}, [])


def test_a_mention_is_the_whole_expression_that_has_the_value() -> None:
    argument = meant("at", "10:40", "context")
    assert next(find_mentions("the boat at 10:40 am", argument, None)) == (12, 20)
    assert next(find_mentions("the boat at 10:40", argument, None)) == (12, 17)
    assert next(find_mentions("the Sprotte", meant("boat", "Sprotte", "context"), None)) == (4, 11)


WORDS = st.lists(
    st.sampled_from(["mum", "Zoë", "at", "work", "5", "o'clock", "éa", "x-y", "👍"]), min_size=1, max_size=8
)


@given(WORDS, st.data())
def test_the_tags_of_words_decode_to_their_span(words: list[str], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    text = " ".join(words)
    start = len(" ".join(words[:first])) + (first > 0)
    end = len(" ".join(words[: last + 1]))
    argument = Argument("contact", text[start:end], text[start:end], start, end, Grounding.VERBATIM)
    encoded, target = target_of(msgspec.structs.replace(make_row(text, "call"), arguments=(argument,)))
    assert isinstance(target, Target)
    scores = np.full((len(target.tags), 5), -9.0)
    scores[np.arange(len(target.tags)), target.tags] = 0.0
    tags = decode_tags(scores, encoded.turns, encoded.begins_word)
    assert tags == target.tags
    spans = [(span.start, span.end) for span in list_spans(tags, scores, encoded)]
    assert spans == [(start, end)]
