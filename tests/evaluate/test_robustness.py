"""Changed prompts, each with what is right for it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from exemplars.core.conditions import Condition
from exemplars.core.ids import make_speech_id
from exemplars.models.copying import CopyRules
from exemplars.models.prompt_style import CandidateSource
from exemplars.models.rows import TrainingRow, list_tool_names
from stages.evaluate.params import Robustness
from stages.evaluate.replies import Reply
from stages.evaluate.robustness import Variant, build_variant, rate_variants
from stages.evaluate.system_names import Kind, System
from stages.evaluate.task import Task
from tests.evaluate.tasks import PARAMS, make_tasks
from tests.tiny import make_tokenizer

pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def task() -> Task:
    return make_tasks(make_tokenizer())[Condition.ORACLE]


def change(kind: Robustness, task: Task, rendered: dict[str, TrainingRow] | None = None) -> Variant:
    return build_variant(kind, task, rendered or {}, make_tokenizer(), 400)


def list_shown(task: Task) -> list[list[str]]:
    return [list_tool_names(row) for row in task.rows]


def list_right(task: Task) -> list[str]:
    return [row.messages[-1].content for row in task.rows]


def test_shuffled_tools_have_another_order_and_more_distractors_are_added(task: Task) -> None:
    shuffled, places = change(Robustness.TOOLS_SHUFFLED, task)
    assert [sorted(names) for names in list_shown(shuffled)] == [sorted(names) for names in list_shown(task)]
    assert all(names != before for names, before in zip(list_shown(shuffled), list_shown(task), strict=True))
    assert list(places) == [0, 1, 2, 3]
    more = change(Robustness.MORE_DISTRACTORS, task).task
    assert [len(names) for names in list_shown(more)] == [3, 3, 3, 3]
    assert list_right(shuffled) == list_right(more) == list_right(task)
    assert all(row.prompt_tokens for row in (*shuffled.rows, *more.rows))


def test_without_the_right_tool_no_call_is_right(task: Task) -> None:
    changed, places = change(Robustness.RIGHT_TOOL_MISSING, task)
    assert list(places) == [0, 1, 2]
    assert list_right(changed) == ["None"] * 3
    assert all(
        row.skills[0] not in names for row, names in zip(changed.rows, list_shown(changed), strict=True)
    )


def test_masked_names_are_those_of_the_right_calls_and_of_the_copied_values(task: Task) -> None:
    rules = CopyRules(frozenset({("weather", "day")}), {("call", "contact"): ("mum",)})
    changed = change(Robustness.NAMES_MASKED, task._replace(copy_rules=rules)).task
    assert list_right(changed) == [
        'function_1(argument_1="dad", argument_2="work")',
        'function_1(argument_1="mum")',
        "function_2(argument_1=10)",
        "None",
    ]
    assert changed.copy_rules == CopyRules(
        frozenset({("function_3", "argument_2")}), {("function_1", "argument_1"): ("mum",)}
    )
    assert {name for names in list_shown(changed) for name in names} <= changed.skills.keys()


def test_prompts_with_services_of_sgd_have_the_names_of_a_variant_and_others_are_left_out(
    task: Task, tmp_path: Path
) -> None:
    for folder, prefix in (("test", ""), ("sgd_x/v1/test", "other_")):
        service = {
            "service_name": f"{prefix}set",
            "slots": [{"name": f"{prefix}{name}"} for name in ("minutes", "label")],
            "intents": [{"name": "timer"}],
        }
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "schema.json").write_text(json.dumps([service]), encoding="utf-8")
    changed, places = build_variant(Robustness.SCHEMA_V1, task, {}, make_tokenizer(), 400, tmp_path)
    shown = [names for names in list_shown(task) if "set_timer" in names]
    assert [
        ["set_timer" if name == "other_set_timer" else name for name in names]
        for names in list_shown(changed)
    ] == shown
    assert [task.rows[place] for place in places] == [
        row for row in task.rows if "set_timer" in list_tool_names(row)
    ]
    right = "other_set_timer(other_minutes=10)"
    assert [text for text in list_right(changed) if "timer" in text] == [right]
    assert "other_set_timer(other_minutes:int, other_label)" in changed.rows[0].messages[0].content


def test_speech_views_take_the_place_of_their_rows(task: Task) -> None:
    row = task.rows[1]
    view = msgspec.structs.replace(row, id=make_speech_id(row.id), utterance="ring mum please", speech=True)
    changed, places = change(Robustness.SPEECH, task, {view.id: view})
    assert list(places) == [1]
    assert (changed.questions[0].utterance, changed.rows[0].messages[-2].content) == ("ring mum please",) * 2


def test_changed_prompts_show_what_is_said_in_them() -> None:
    tasks = make_tasks(make_tokenizer(), candidates=CandidateSource.RECOGNIZER)
    task = tasks[Condition.ORACLE]
    last = [
        row.messages[0].content.splitlines()[-1] for row in change(Robustness.TOOLS_SHUFFLED, task).task.rows
    ]
    assert [line for line in last if line.startswith("Said: ")] == ['Said: number="ten"']
    row = next(row for row in task.rows if row.utterance == "ten minutes")
    view = msgspec.structs.replace(row, id=make_speech_id(row.id), utterance="eleven minutes", speech=True)
    (spoken,) = change(Robustness.SPEECH, task, {view.id: view}).task.rows
    assert spoken.messages[0].content.splitlines()[-1] == 'Said: number="eleven"'
    tagged = task._replace(style=msgspec.structs.replace(task.style, candidates=CandidateSource.TAGGER))
    masked = change(Robustness.NAMES_MASKED, tagged).task
    assert not [row for row in masked.rows if "Said: " in row.messages[0].content]


def test_the_same_turns_are_compared_and_masked_names_with_language_models_alone(task: Task) -> None:
    kinds = (Robustness.RIGHT_TOOL_MISSING, Robustness.NAMES_MASKED)
    variants = {kind: change(kind, task) for kind in kinds}
    replies = {
        "oracle": {name: [Reply(text) for text in list_right(task)] for name in ("lora", "knn")},
        **{
            kind.value: {name: [Reply("None") for _ in variants[kind].places] for name in ("lora", "knn")}
            for kind in kinds
        },
    }
    systems = {"lora": System("lora", Kind.LANGUAGE_MODEL, "lora"), "knn": System("knn", Kind.KNN)}
    report = rate_variants(variants, task, replies, systems, PARAMS)
    assert {kind: (part["rows"], list(part["systems"])) for kind, part in report.items()} == {
        "right_tool_missing": (3, ["lora", "knn"]),
        "names_masked": (4, ["lora"]),
    }
    assert report["right_tool_missing"]["systems"]["knn"]["exact_match"]["value"] == 1.0
    masked = report["names_masked"]["systems"]["lora"]
    assert (masked["exact_match"]["value"], masked["difference"]["value"]) == (0.25, -0.75)
