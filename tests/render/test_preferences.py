"""Preferences as rows: what is proved, what is rejected and why, and that none is lost."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from exemplars.models.calls import CallFormat
from exemplars.models.chat_templates import encode_text, render_prompt
from stages.render.params import MaxRows
from stages.render.preference_prompts import PromptFinder
from stages.render.preferences import RenderedPreferences, TokenTarget, render_preferences
from stages.render.training_rows import render_splits
from tests.render.rows import SKILLS, argument, exemplar, params
from tests.tiny import make_tokenizer

TRAIN = [
    exemplar("ring mum", "call", argument("contact", "mum", "mum")),
    exemplar("weather in Oslo", "weather", argument("location", "Oslo", "Oslo")),
]
SPLITS: Any = {
    "train": TRAIN,
    "validation": [exemplar("ring dad", "call", argument("contact", "dad", "dad"), group="v")],
    "test": [exemplar("ring Bo", "call", argument("contact", "Bo", "Bo"), group="t")],
}
RIGHT = [{"name": "call", "arguments": {"contact": "mum"}}]
WRONG = [{"name": "weather", "arguments": {"location": "mum"}}]
PAIR = {"version": 1, "row": TRAIN[0].digest, "chosen": RIGHT, "rejected": WRONG, "source": "written"}
PROMPT = {"row": None, "license": "MIT"}


def render(*lines: dict[str, Any] | bytes, **changes: Any) -> RenderedPreferences:
    """Render lines; each gets an id by its position, and keys with `None` are left out."""
    settings, tokenizer = params(**changes), make_tokenizer()
    splits = render_splits(SPLITS, SKILLS, tokenizer, settings, settings.max_tokens)
    finder = PromptFinder(SPLITS, splits, settings)
    encoded = [
        line
        if isinstance(line, bytes)
        else msgspec.json.encode({"id": f"p{n}", **{k: v for k, v in line.items() if v is not None}})
        for n, line in enumerate(lines, 1)
    ]
    target = TokenTarget(tokenizer, settings.call_format, settings.max_tokens)
    return render_preferences(b"\n".join(encoded), finder, target)


def list_reasons(rendered: RenderedPreferences) -> list[tuple[str, str]]:
    return [(rejection.origin.locator, rejection.reason) for rejection in rendered.rejections]


def test_a_pair_about_a_row_has_the_prompt_of_the_row_in_training_and_both_sides_end_their_turn() -> None:
    settings, tokenizer = params(), make_tokenizer()
    (row,) = render(PAIR).rows
    trained = next(
        chat
        for chat in render_splits(SPLITS, SKILLS, tokenizer, settings, 400)["train"].rows
        if chat.digests == (TRAIN[0].digest,)
    )
    assert row.prompt_ids == trained.input_ids[: trained.prompt_tokens]
    assert row.prompt_ids + row.chosen_ids == trained.input_ids
    assert tokenizer.decode(row.chosen_ids) == 'call(contact="mum")</s>'
    assert tokenizer.decode(row.rejected_ids) == 'weather(location="mum")</s>'
    assert encode_text(tokenizer, row.prompt) == list(row.prompt_ids)
    assert (row.id, row.pair, row.group, row.license) == (
        "preferences:preferences.jsonl#1", "p1", "g", "Apache-2.0",
    )  # fmt: skip


def test_a_preference_about_a_row_of_validation_is_kept_apart_from_those_to_train_on() -> None:
    right = [{"name": "call", "arguments": {"contact": "dad"}}]
    pair = {**PAIR, "row": SPLITS["validation"][0].digest, "chosen": right}
    rendered = render(PAIR, pair)
    assert [row.chosen for row in rendered.rows] == ['call(contact="mum")']
    assert [row.chosen for row in rendered.validation] == ['call(contact="dad")']
    assert rendered.rejections == ()


def test_a_label_is_a_row_with_one_side() -> None:
    good, bad = render({**PAIR, "rejected": None}, {**PAIR, "chosen": None}).rows
    assert (good.chosen, good.rejected, good.rejected_ids) == ('call(contact="mum")', None, ())
    assert (bad.chosen, bad.rejected, bad.is_pair) == (None, 'weather(location="mum")', False)


def test_a_prompt_of_its_own_shows_its_tools_as_prompts_of_rows_do() -> None:
    tool = {"type": "function", "function": {"name": "lock", "parameters": {"properties": {"door": {}}}}}
    pair = {
        **PAIR, **PROMPT, "prompt": [{"role": "user", "content": "lock it"}], "tools": [tool],
        "chosen": [{"name": "lock", "arguments": {"door": "front"}}], "rejected": "Done.",
    }  # fmt: skip
    (row,) = render(pair).rows
    assert [(message.role, message.content) for message in row.messages] == [
        ("system", "Call one.\nlock(door)"),
        ("user", "lock it"),
    ]
    assert (row.row, row.exemplar_ids, row.license, row.chosen) == (None, (), "MIT", 'lock(door="front")')
    assert row.prompt == render_prompt(make_tokenizer(), msgspec.to_builtins(row.messages), None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"row": "0" * 64}, "unknown_row: no row of the dataset has the digest 000000000000: it changed, or was removed; "
         "judge the row as it is now, or remove the line"),
        ({"row": SPLITS["test"][0].digest}, "held_out: s:ring Bo is a row of test: it counts for ratings, and is never trained on"),
        ({"rejected": RIGHT}, "equal_sides: found 'call(contact=\"mum\")' on both sides, expected two sides; write two sides "
         "that differ, or remove the line"),
        ({"rejected": 'call( contact = "mum" )'}, "equal_sides: found 'call(contact=\"mum\")' on both sides, expected two sides; "
         "write two sides that differ, or remove the line"),
        ({"chosen": WRONG, "rejected": RIGHT}, "tool_not_in_prompt: found no weather in the prompt; prefer a call of a tool that "
         "the prompt shows"),
        ({"chosen": "Hm.", "rejected": RIGHT}, "conflicting_preference: found 'call(contact=\"mum\")', the right answer of the row, "
         "as the rejected side, expected a wrong answer; correct the row, or withdraw the preference"),
        ({"verdict": "tie"}, "no_preference: the judge found two equally good sides: it counts for ratings alone"),
        ({"verdict": "neither"}, "no_preference: the judge found two wrong sides: it counts for ratings alone"),
        ({"rejected": "so</s>"}, "control_token: found the control token '</s>' in the side rejected, expected text that cannot "
         "end or begin a turn; remove it from the data, or write it differently"),
        ({"rejected": "no " * 400}, "too_long: found 435 tokens, expected at most 400; raise render.max_tokens, or show fewer tools or turns"),
        ({**PROMPT, "prompt": [{"role": "user", "content": "Ring Bo!"}]}, "leaked: s:ring Bo, which is held out, has the same utterance"),
        ({**PROMPT, "prompt": [{"role": "user", "content": "a <|user|>"}]}, "control_token: found the control token '<|user|>' in a message "
         "of the user, expected text that cannot end or begin a turn; remove it from the data, or write it differently"),
        ({"version": 7}, "malformed_record: found a line of version 7, expected version 1; upgrade exemplars, or convert the file"),
    ],
)  # fmt: skip
def test_a_preference_that_cannot_be_trained_on_is_in_the_ledger(changes: Any, message: str) -> None:
    rendered = render({**PAIR, **changes})
    assert rendered.rows == ()
    (rejection,) = rendered.rejections
    place, _, sentence = rejection.message.partition(": ")
    assert (rejection.stage, place) == ("render", "preferences.jsonl:1")
    assert f"{rejection.reason}: {sentence}" == message


def test_a_row_that_is_not_rendered_says_why_it_is_not() -> None:
    both = render({**PAIR}, {**PAIR, "row": TRAIN[1].digest}, max_rows=MaxRows(train=1))
    (rejection,) = [rejection for rejection in both.rejections if rejection.reason == "not_drawn"]
    assert rejection.message.partition(": ")[2] == (
        f"s:{rejection.utterance} is not rendered: found more than 1 turns in this split; raise render.max_rows"
    )


def test_equal_pairs_count_once_and_opposite_ones_not_at_all() -> None:
    other = {**PAIR, "row": TRAIN[1].digest, "chosen": "Sun.", "rejected": "Rain."}
    opposite = {**other, "chosen": "Rain.", "rejected": "Sun."}
    rendered = render(PAIR, {**PAIR, "judge": "Kim"}, other, opposite)
    assert [row.pair for row in rendered.rows] == ["p1"]
    assert list_reasons(rendered) == [
        ("2", "duplicate_record"),
        ("3", "conflicting_preference"),
        ("4", "conflicting_preference"),
    ]


def test_every_preference_is_a_row_or_in_the_ledger_and_a_withdrawal_is_neither() -> None:
    withdrawal = {"version": 1, "withdraws": "p2", "source": "judge"}
    rendered = render(PAIR, {**PAIR, "rejected": "No."}, withdrawal, b"{broken", b"", {**PAIR, "chosen": ""})
    assert [row.pair for row in rendered.rows] == ["p1"]
    assert list_reasons(rendered) == [
        ("2", "withdrawn"),
        ("4", "malformed_record"),
        ("6", "malformed_record"),
    ]


def test_calls_are_written_in_the_format_of_the_rows() -> None:
    (row,) = render(PAIR, call_format=CallFormat.JSON).rows
    assert row.chosen == '{"name": "call", "arguments": {"contact": "mum"}}'
