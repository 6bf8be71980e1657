"""How utterances answer the questions before them: the view `yes_no`.

OpenCUI tracks the state of a dialogue by this question, among others. Its four answers are those of its
`inference/yn_inferencer.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from exemplars.core.digests import hash_to_fraction
from exemplars.core.records import Exemplar, Grounding, Mode, Speaker
from exemplars.models.turns import TurnRows

_CLOSING: Final = " \n\t\"')]}»”’"
"""What may be after the mark that ends a sentence."""
_OPEN_WORDS: Final = re.compile(r"\b(?:how|or|what|when|where|which|who|whom|whose|why)\b", re.IGNORECASE)
"""A question with one of these words may ask for more than yes or no."""


class YesNo(StrEnum):
    """How an utterance answers a question."""

    AFFIRMATIVE = "Affirmative"
    NEGATIVE = "Negative"
    INDIFFERENT = "Indifferent"
    """Any answer is fine with the speaker."""
    IRRELEVANT = "Irrelevant"
    """The utterance is no answer to the question."""


class AnsweredQuestion(NamedTuple):
    """A question of the assistant, and how the utterance of a turn answers it."""

    text: str
    answer: YesNo
    turn: TurnRows
    """The turn that the question comes before."""
    row_id: str | None = None
    """The train row that the question was taken from; `None`: it comes before the utterance."""


def find_question(turn: TurnRows) -> AnsweredQuestion | None:
    """Find the question that a turn answers; `None` if its row does not say how, or if it has several rows.

    A row that declines a skill is Negative. One that means its skill only in its context, and says no value itself, is
    Affirmative. One whose values are all "no preference" is Indifferent, whatever the question asks for.
    """
    row = turn.first
    if len(turn.rows) > 1 or row.speaker != Speaker.USER or not row.context:
        return None
    before = row.context[-1]
    asked = _find_last_question(before.utterance)
    if before.speaker != Speaker.ASSISTANT or asked is None:
        return None
    answer = _find_answer(row)
    if answer is None or (answer != YesNo.INDIFFERENT and _OPEN_WORDS.search(asked)):
        return None
    return AnsweredQuestion(before.utterance, answer, turn)


def _find_last_question(text: str) -> str | None:
    """Find the last sentence of a text, without its mark; `None` if it is no question."""
    ended = text.rstrip(_CLOSING)
    body = ended.rstrip("?")
    return None if body == ended else body[max(map(body.rfind, ".!?")) + 1 :]


def _find_answer(row: Exemplar) -> YesNo | None:
    if row.mode == Mode.NEGATIVE:
        return YesNo.NEGATIVE
    groundings = {argument.grounding for argument in row.arguments}
    if groundings == {Grounding.DONTCARE}:
        return YesNo.INDIFFERENT
    is_said = any(argument.surface is not None for argument in row.arguments)
    if row.mode == Mode.EXTENDED and not is_said and Grounding.DONTCARE not in groundings:
        return YesNo.AFFIRMATIVE
    return None


def choose_questions(
    turns: Sequence[TurnRows], train: Sequence[AnsweredQuestion], salt: str
) -> Mapping[str, AnsweredQuestion]:
    """Choose the question that the prompt of a turn shows, by the turn's id.

    It is the question before the turn, if the turn answers one. For each of these, a turn that begins a conversation
    gets a question of a train row of another group and another skill: its utterance is Irrelevant to it. train: the
    questions of train rows. salt: seeds the choice.
    """
    own = {turn.id: question for turn in turns if (question := find_question(turn)) is not None}
    closed = [question for question in train if question.answer != YesNo.INDIFFERENT]
    others = sorted(
        (turn for turn in turns if _begins_conversation(turn)),
        key=lambda turn: hash_to_fraction(turn.content_key, f"{salt} irrelevant"),
    )
    borrowed = {
        turn.id: question
        for turn in others[: len(own)]
        if (question := _borrow_question(turn, closed, salt)) is not None
    }
    return own | borrowed


def list_questions(turns: Iterable[TurnRows]) -> list[AnsweredQuestion]:
    """List the questions that turns answer, speech views left out."""
    questions = (find_question(turn) for turn in turns if not turn.is_speech)
    return [question for question in questions if question is not None]


def _begins_conversation(turn: TurnRows) -> bool:
    row = turn.first
    return (
        len(turn.rows) == 1
        and row.mode == Mode.NORMAL
        and row.speaker == Speaker.USER
        and not row.context
        and not turn.is_speech
    )


def _borrow_question(
    turn: TurnRows, questions: Iterable[AnsweredQuestion], salt: str
) -> AnsweredQuestion | None:
    """Borrow a question for a turn by stable hash; `None` if all are of its group or its skill."""
    others = [
        question
        for question in questions
        if question.turn.first.group != turn.first.group and question.turn.first.skill != turn.first.skill
    ]
    if not others:
        return None
    key = f"{salt} {turn.content_key}"
    chosen = min(others, key=lambda question: (hash_to_fraction(question.turn.id, key), question.turn.id))
    return AnsweredQuestion(chosen.text, YesNo.IRRELEVANT, turn, chosen.turn.id)
