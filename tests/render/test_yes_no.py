"""The view `yes_no`: how an utterance answers the question before it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from transformers import AutoTokenizer

from exemplars.core.ids import SplitName, parse_row_id
from exemplars.core.records import Argument, Exemplar, Speaker
from exemplars.models.rows import View
from exemplars.models.turns import TurnRows
from stages.render.training_rows import render_splits
from stages.render.yes_no import YesNo, choose_questions, find_question, list_questions
from tests.render.rows import SKILLS, argument, exemplar, params
from tests.tiny import save_tiny

SAID = argument("day", "today", "today")
EARLIER = argument("day", "today", grounding="context")
ANY = argument("day", "dontcare", grounding="dontcare")


def answer_of(row: Exemplar) -> YesNo | None:
    found = find_question(TurnRows((row,)))
    return None if found is None else found.answer


@pytest.mark.parametrize(
    ("mode", "arguments", "question", "answer"),
    [
        ("negative", (), "It is cold there. Shall I look it up?", YesNo.NEGATIVE),
        ("extended", (EARLIER,), "The weather of today, right?", YesNo.AFFIRMATIVE),
        ("extended", (), "Shall I look it up?", YesNo.AFFIRMATIVE),
        ("normal", (ANY,), "For which day?", YesNo.INDIFFERENT),
        ("extended", (ANY,), "For which day?", YesNo.INDIFFERENT),
        # A value that is said may be the answer to a question that asks for more than yes or no.
        ("extended", (SAID,), "Shall I look it up?", None),
        ("normal", (SAID,), "Shall I look it up?", None),
        ("extended", (EARLIER,), "Today or tomorrow?", None),
        ("negative", (), "What else can I do?", None),
        ("extended", (EARLIER, ANY), "Shall I look it up?", None),
        ("none", (), "Anything else?", None),
        ("extended", (), "Which one? It is cold there.", None),
        ("extended", (), 'He asked: "Shall I?" ', YesNo.AFFIRMATIVE),
        ("extended", (), "Shall I? " + "Which " * 100_000, None),
        # The words of an earlier sentence do not count.
        ("extended", (), "That is what I found. Shall I go on?", YesNo.AFFIRMATIVE),
    ],
)
def test_the_label_of_a_row_says_how_it_answers_the_question(
    mode: str, arguments: tuple[Argument, ...], question: str, answer: YesNo | None
) -> None:
    row = exemplar("so be it", "weather", *arguments, mode=mode, before=("hello", question))
    assert answer_of(row) == answer


def test_a_row_without_a_question_of_the_assistant_answers_none() -> None:
    row = exemplar("go on", "weather", mode="extended", before=("Shall I look it up?",))
    assert answer_of(row) == YesNo.AFFIRMATIVE
    assert answer_of(msgspec.structs.replace(row, context=())) is None
    assert answer_of(msgspec.structs.replace(row, speaker=Speaker.TOOL)) is None
    by_user = msgspec.structs.replace(row.context[0], speaker=Speaker.USER)
    assert answer_of(msgspec.structs.replace(row, context=(by_user,))) is None
    assert find_question(TurnRows((row, row))) is None


ACCEPTS = exemplar("go on", "weather", EARLIER, mode="extended", before=("Today, right?",), group="a")
DECLINES = exemplar("better not", "call", mode="negative", before=("Shall I call?",), group="b")
RINGS = exemplar("ring Ada", "call", argument("contact", "Ada", "Ada"), group="c")
ASKS = exemplar("is it cold", "weather", group="a")


def test_a_turn_that_begins_a_conversation_borrows_a_question_of_another_group_and_skill() -> None:
    turns = [TurnRows((row,)) for row in (ACCEPTS, DECLINES, RINGS, ASKS)]
    chosen = choose_questions(turns, list_questions(turns), "s")
    assert {
        turn_id: (question.text, question.answer.value, question.row_id)
        for turn_id, question in chosen.items()
    } == {
        "s:go on": ("Today, right?", "Affirmative", None),
        "s:better not": ("Shall I call?", "Negative", None),
        "s:ring Ada": ("Today, right?", "Irrelevant", "s:go on"),
        "s:is it cold": ("Shall I call?", "Irrelevant", "s:better not"),
    }
    # Nothing is answered, so that nothing is contrasted; and no question is left to borrow.
    assert choose_questions(turns[2:], list_questions(turns), "s") == {}
    assert choose_questions([turns[0], turns[3]], list_questions(turns[:1]), "s").keys() == {"s:go on"}


def test_prompts_show_the_question_alone_and_name_the_row_that_it_was_taken_from(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(save_tiny(tmp_path))
    splits: dict[SplitName, list[Exemplar]] = {
        "train": [msgspec.structs.replace(ACCEPTS, arguments=()), DECLINES],
        "validation": [],
        "test": [
            exemplar("yes", "call", mode="extended", before=("hi", "Shall I ring?"), group="t"),
            exemplar("time", "set_timer", group="u"),
        ],
    }
    chosen = params(views=(View.YES_NO,), context_turns=0)
    rendered = render_splits(splits, SKILLS, tokenizer, chosen, 400)
    asked = "How is the question answered? Say Affirmative, Negative, Indifferent or Irrelevant."
    assert [
        (row.id, [(message.role, message.content) for message in row.messages], row.nearest)
        for row in rendered["test"].rows
    ] == [
        (
            "s:time@yes_no:irrelevant",
            [
                ("system", asked),
                ("assistant", "Shall I call?"),
                ("user", "time"),
                ("assistant", "Irrelevant"),
            ],
            ("s:better not",),
        ),
        (
            "s:yes@yes_no:affirmative",
            [
                ("system", asked),
                ("assistant", "Shall I ring?"),
                ("user", "yes"),
                ("assistant", "Affirmative"),
            ],
            (),
        ),
    ]
    assert [row.slot for row in rendered["train"].rows] == ["negative", "affirmative"]
    row = rendered["train"].rows[0]
    end = row.input_ids[row.prompt_tokens :]
    assert tokenizer.decode(end) == "Negative</s>"
    assert row.calls == () and row.tools == "[]"


def test_ids_of_the_view_are_parsed() -> None:
    parsed = parse_row_id("sgd:dev/dialogues_001.json#/3/turns/4@yes_no:negative")
    assert (parsed.locator, parsed.view, parsed.slot) == ("/3/turns/4", "yes_no", "negative")
