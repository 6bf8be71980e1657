"""What is right and what may be called, under each condition."""

from __future__ import annotations

import pytest

from exemplars.core.conditions import Condition
from exemplars.models.prompt_style import CandidateSource
from exemplars.models.rows import list_tool_names
from exemplars.models.turns import collect_turns
from stages.evaluate.task import sample_turns
from tests.evaluate.tasks import ROWS, make_tasks
from tests.render.rows import argument, exemplar
from tests.tiny import make_tokenizer

pytest.importorskip("transformers")
SKILLS = {"call", "set_timer", "weather"}


def test_the_catalog_is_callable_end_to_end_and_only_shown_tools_under_oracle() -> None:
    tasks = make_tasks(make_tokenizer())
    oracle, end_to_end = tasks[Condition.ORACLE], tasks[Condition.END_TO_END]
    assert [set(end_to_end.list_callable(place)) for place in range(4)] == [SKILLS] * 4
    assert all(len(oracle.list_callable(place)) == 2 for place in range(4))
    assert [list_tool_names(row) for row in end_to_end.rows[2:]] == [["call", "weather"], ["weather"]]
    assert all(row.input_ids for row in (*oracle.rows, *end_to_end.rows))


def test_prompts_of_both_conditions_show_the_same_values() -> None:
    tasks = make_tasks(make_tokenizer(), candidates=CandidateSource.RECOGNIZER)
    for task in tasks.values():
        last = [row.messages[0].content.splitlines()[-1] for row in task.rows]
        assert [line for line in last if line.startswith("Said: ")] == ['Said: number="ten"']
        assert all(row.input_ids for row in task.rows)


def test_withheld_tools_are_expected_end_to_end_alone() -> None:
    tasks = make_tasks(make_tokenizer(), without_tool=1.0)
    assert [row.calls for row in tasks[Condition.ORACLE].rows] == [()] * 4
    assert [call.skill for row in tasks[Condition.END_TO_END].rows for call in row.calls] == [
        *("call", "call", "set_timer")
    ]


def test_a_turn_that_render_rejects_is_asked_without_a_prompt() -> None:
    hidden = exemplar(
        "ring her",
        "call",
        argument("contact", "Ada", None, "context"),
        before=("Ada called", "yes?", "hm", "so?"),
    )
    tasks = make_tasks(make_tokenizer(), [*ROWS[:1], hidden], [("call",)] * 2, context_turns=1)
    for condition, task in tasks.items():
        assert [bool(row.input_ids) for row in task.rows] == [True, False], condition
        assert [call.skill for call in task.rows[1].calls] == ["call"]
        assert set(task.list_callable(1)) == SKILLS


def test_the_nearest_row_under_oracle_calls_only_shown_tools() -> None:
    tasks = make_tasks(make_tokenizer(), distractors=0)
    assert [row.id for row in tasks[Condition.END_TO_END].neighbors[2]] == [
        "s:ring dad at work",
        "s:ring mum",
    ]
    assert [row.id for row in tasks[Condition.ORACLE].neighbors[2]] == ["s:ten minutes", "s:thanks"]


def test_sampled_turns_keep_their_speech_views_and_leave_out_what_was_not_rendered() -> None:
    rows = [exemplar(name, None, mode="none") for name in ("a", "a~speech", "b", "b~speech", "c")]
    assert [turn.id for turn in sample_turns(rows, {"s:c"}, None)] == [
        *("s:a", "s:a~speech", "s:b", "s:b~speech")
    ]
    [first, *views] = sample_turns(rows, (), 1)
    assert all(view.sampling_key == first.sampling_key for view in views)
    assert len(collect_turns(rows)) == 5
