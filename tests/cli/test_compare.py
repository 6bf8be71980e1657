"""`exemplars compare` on a real repository with a history and a cache."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
import pytest

from exemplars.core import layout
from exemplars.core.conditions import Condition
from exemplars.core.records import Exemplar
from exemplars.core.tables import rows_to_table
from exemplars.dataset.catalog import Skill, build_tool_definition, encode_catalog
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.row_tables import exemplars_to_table
from exemplars.models.base_models import HubBase
from exemplars.models.calls import CallFormat
from exemplars.models.render_manifest import RenderManifest
from exemplars.models.rows import Answer, Prediction, TargetCall, TrainingRow
from tests.chat_rows import make_training_row
from tests.cli.project import Project
from tests.render.rows import argument, exemplar

Printed = Callable[..., str]
SKILLS: Final = (
    Skill("call", parameters=(Parameter("who"),)),
    Skill("light", parameters=(Parameter("room"),)),
)
ROWS_A_SKILL: Final = 40


def make_rows(skill: str, slot: str, count: int = ROWS_A_SKILL) -> list[TrainingRow]:
    return [
        make_training_row(
            id=f"skills:{skill}.md#{number:02}",
            exemplar_ids=(f"skills:{skill}.md#{number:02}",),
            group=f"skills:{skill}:{number}",
            skills=(skill,),
            utterance=f"{skill} it for number {number}",
            tools=json.dumps([build_tool_definition(tool) for tool in SKILLS]),
            calls=(TargetCall(skill, (Answer(slot, f"n{number}", (f"n{number}",), "verbatim"),)),),
        )
        for number in range(count)
    ]


ROWS: Final = [*make_rows("call", "who"), *make_rows("light", "room")]


def make_exemplar(row: TrainingRow) -> Exemplar:
    """Make the row of the split that a chat row was made from."""
    (call,) = row.calls
    slot, value = call.answers[0].slot, call.answers[0].value
    made = exemplar(row.utterance, call.skill, argument(slot, value, None, "composed"), group=row.group)
    return msgspec.structs.replace(made, id=row.id, turn=row.id)


def write_right_answer(row: TrainingRow) -> str:
    (call,) = row.calls
    return f'{call.skill}({call.answers[0].slot}="{call.answers[0].value}")'


def predict(rows: Iterable[TrainingRow], is_wrong: Callable[[str, int], bool]) -> list[Prediction]:
    """Predict right answers, and "None" where `is_wrong` holds for the skill and the number of the row."""
    return [
        Prediction(
            id=row.id,
            exemplar_ids=row.exemplar_ids,
            condition=condition,
            system=system,
            kind="",
            utterance=row.utterance,
            right=write_right_answer(row),
            predicted="None" if is_wrong(row.skills[0], int(row.id[-2:])) else write_right_answer(row),
            ended=True,
            source=row.source,
            skill=row.skills[0],
            nearest=(),
            shown=("call", "light"),
            confidence=None,
            answered_by=None,
            origin=row.origin,
        )
        for row in rows
        for condition in Condition
        for system in ("knn", "lora")
    ]


def evaluate(
    project: Project, run: str, is_wrong: Callable[[str, int], bool], rows: list[TrainingRow] = ROWS
) -> None:
    """Write what `evaluate` reads and writes."""
    predictions = predict(rows, is_wrong)
    project.table(layout.training("train"), rows_to_table([], TrainingRow))
    project.table(layout.training("test"), rows_to_table(rows, TrainingRow))
    project.table(layout.split("test"), exemplars_to_table([make_exemplar(row) for row in rows]))
    project.table(layout.PREDICTIONS, rows_to_table(predictions, Prediction))
    project.write(layout.CATALOG.as_posix(), encode_catalog(SKILLS))
    manifest = RenderManifest(
        HubBase(id="tiny", revision="r1", license="MIT"),
        "tiny",
        "0" * 64,
        "MIT",
        CallFormat.PYTHON,
        "compact",
        "",
        9,
    )
    project.write(layout.TRAINING_BASE.as_posix(), msgspec.json.encode(manifest))
    right = sum(prediction.predicted != "None" for prediction in predictions) / len(predictions)
    figure = {"exact_match": {"value": right, "low": right - 0.1, "high": right + 0.1}}
    report = {
        "runs": {"lora": {"run": run, "role": "language_model"}},
        "reference": "lora",
        "conditions": {
            condition: {"systems": {"knn": figure, "lora": figure}, "slices": {}} for condition in Condition
        },
    }
    project.write(layout.details("evaluate").as_posix(), json.dumps(report))


@pytest.fixture
def compared(project: Project) -> Project:
    """A first run that knows a quarter of `light`, committed; one that knows most of it, in the workspace."""
    evaluate(project, "lora-1-1", lambda skill, number: skill == "light" and number >= 10)
    project.commit("first")
    evaluate(project, "lora-2-2", lambda skill, number: number >= 38)
    return project


def compare(printed: Printed, *arguments: str) -> Any:
    return json.loads(printed("compare", *arguments, "--format", "json"))


def test_figures_the_test_the_slices_that_moved_and_the_rows_are_shown(
    compared: Project, printed: Printed
) -> None:
    lines = printed("compare", "--limit", "1").splitlines()
    commit = compared.git("rev-parse", "--short=12", "HEAD")
    assert lines[:13] == [
        f"HEAD ({commit}) -> workspace",
        "  runs    lora-1-1 -> lora-2-2",
        "  system  lora",
        "  rows    80 that both answered",
        "",
        "system, all its rows  before             after",
        "knn                   0.62 [0.53, 0.72]  0.95 [0.85, 1.05]",
        "lora                  0.62 [0.53, 0.72]  0.95 [0.85, 1.05]",
        "",
        "95 % intervals      before             after              difference, * moved",
        "exact match         0.62 [0.51, 0.72]  0.95 [0.90, 0.99]  +0.33 [+0.21, +0.44] *",
        "skill accuracy      0.62 [0.51, 0.72]  0.95 [0.90, 0.99]  +0.33 [+0.21, +0.44] *",
        "argument precision  1.00 [1.00, 1.00]  1.00 [1.00, 1.00]  +0.00 [+0.00, +0.00]",
    ]
    assert "exact match: 28 rows newly right, 2 newly wrong; McNemar's exact test p < 0.001" in lines
    place = lines.index("slices that moved (1 of 2; p adjusted for their number)")
    assert lines[place + 1].startswith(
        "  skill: light                            40  0.25 -> 0.95  +0.70 [+0."
    )
    place = lines.index("newly wrong: 2")
    assert lines[place : place + 6] == [
        "newly wrong: 2",
        "  skills:call.md#38  missed",
        "    utterance call it for number 38",
        '    expected  call(who="n38")',
        '    before    call(who="n38")',
        "    after     None",
    ]
    assert lines[place + 6].startswith("  … and 1 more")
    assert lines[lines.index("newly right: 28") + 1] == "  skills:light.md#10  was missed"
    assert max(map(len, lines)) <= 80


def test_markdown_has_tables_and_folded_rows(compared: Project, printed: Printed) -> None:
    shown = printed("compare", "--format", "markdown")
    assert "| exact match | 0.62 \\[0.51, 0.72\\] | 0.95 \\[0.90, 0.99\\] | +0.33" in shown
    assert "<summary>newly wrong: 2</summary>" in shown
    assert '  - expected: `call(who="n38")`' in shown


def test_figures_and_slices_are_complete_in_json(compared: Project, printed: Printed) -> None:
    document = compare(printed)
    assert document["mcnemar"] == {
        "newly_right": 28, "newly_wrong": 2, "p_value": 1e-06, "warning": None
    }  # fmt: skip
    assert [figure["metric"] for figure in document["figures"]][:2] == ["exact_match", "skill_accuracy"]
    moved = {(part["dimension"], part["slice"]): part["moved"] for part in document["slices"]}
    assert moved[("skill", "light")] is True
    assert moved[("skill", "call")] is False
    assert document["notes"] == []
    assert {row["id"] for row in document["newly_wrong"]} == {"skills:call.md#38", "skills:call.md#39"}


def test_only_the_rows_that_both_answered_are_compared_and_that_is_said(
    compared: Project, printed: Printed
) -> None:
    other = make_training_row(**{**msgspec.structs.asdict(ROWS[1]), "utterance": "call it, the other way"})
    evaluate(compared, "lora-3-3", lambda skill, number: False, [ROWS[0], other, *ROWS[2:30]])
    document = compare(printed)
    assert document["rows"] == {"compared": 29, "only_old": 50, "only_new": 0, "changed": 1}
    assert document["notes"] == [
        "the test rows differ: 50 only before, 0 only after, 1 with another text or answer; the 29 that are the "
        "same are compared",
        "not only the model may have changed the answers, but also data/training/test.parquet, "
        "data/splits/test.parquet",
    ]


def test_the_same_run_is_said(compared: Project, printed: Printed) -> None:
    document = compare(printed, "HEAD", "HEAD")
    assert document["notes"] == ["both revisions evaluated the run lora-1-1"]
    assert (document["newly_right"], document["newly_wrong"]) == ([], [])
    assert "slices: none of 2 moved by more than luck explains" in printed("compare", "HEAD", "HEAD")


def test_what_cannot_be_compared_is_one_sentence(compared: Project, printed: Printed) -> None:
    assert "git: unknown_revision: found no revision 'v9'" in printed("compare", "v9", status=1)
    assert "not_compared: found no system 'base', expected one of knn, lora" in printed(
        "compare", "--system", "base", status=1
    )
    evaluate(compared, "lora-4-4", lambda skill, number: False, make_rows("stop", "what", 3))
    assert "no test row that both revisions answered" in printed("compare", status=1)
    evaluate(compared, "lora-1-1", lambda skill, number: skill == "light" and number >= 10)
    cached = compared.cached(layout.PREDICTIONS)
    (compared.root / layout.PREDICTIONS).unlink()
    missing = printed("compare", status=1)
    assert "data/evaluated/predictions.parquet: not_compared: found no predictions" in missing
    cached.unlink()
    missing = printed("compare", status=1)
    assert "predictions.parquet at HEAD: unusable_revision: found no object" in missing
    (compared.root / layout.details("evaluate")).unlink()
    assert "details/evaluate.json: no_metrics: found no evaluation" in printed(
        "compare", "workspace", status=1
    )
