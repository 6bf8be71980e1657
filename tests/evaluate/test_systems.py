"""Systems on a tiny model with random weights: what it says is noise, but held to the grammar it is a call."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest

from exemplars.core.digests import hash_split
from exemplars.core.tables import rows_to_table
from exemplars.models.base_models import FolderBase, find_base, load_model, load_tokenizer
from exemplars.models.calls import CallFormat, is_call_prefix
from exemplars.models.rows import TrainingRow
from stages.evaluate.decoding import Decoded, admitted, decoded
from stages.evaluate.evaluation import asked_rows, confusion, evaluated, kinds, prediction_rows, shown_tools
from stages.evaluate.grammar import call_grammar
from stages.evaluate.params import EvaluateParams, System
from stages.evaluate.report import error_rows, evaluate_report
from stages.evaluate.systems import Question, answers_of, retrieved_prompt
from stages.render.training_rows import rendered_split, training_rows
from tests.render.rows import SKILLS, argument, exemplar, params
from tests.tiny import TEMPLATE, save_tiny

torch = pytest.importorskip("torch")
pytest.importorskip("xgrammar")

PARAMS = EvaluateParams(
    compare=tuple(System),
    reference=System.TUNED_CONSTRAINED,
    speech=True,
    max_rows=None,
    max_new_tokens=40,
    batch_rows=3,
    retrieved_examples=2,
    resamples=50,
    seed=1,
    text_metrics=False,
    thin_slice=1,
)
ROWS = [
    exemplar("ring mum", "call", argument("contact", "mum", "mum"), group="a"),
    exemplar(
        "ring dad at work", "call", argument("contact", "dad", "dad"), argument("device", "work"), group="a"
    ),
    exemplar("ten minutes", "set_timer", argument("minutes", "10", "ten", "normalized"), group="b"),
    exemplar("thanks", None, mode="none", group="c"),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    files = find_base(FolderBase(path=str(save_tiny(tmp_path_factory.mktemp("tiny"))), license="MIT"))
    return load_model(files, dtype="float32").eval(), load_tokenizer(files)


@pytest.fixture(scope="module")
def question(model: tuple[Any, Any]) -> Question:
    split = rendered_split(ROWS, SKILLS, model[1], params(), 400, train=False)
    rows = rows_to_table(training_rows(split, SKILLS), TrainingRow).to_pylist()
    tools = [[SKILLS[name] for name in shown_tools(row)] for row in rows]
    return Question(rows, tools, SKILLS, [[rows[0], rows[1]] for _ in rows], CallFormat.PYTHON, False)


def test_every_system_answers_every_row_and_constrained_ones_never_invent_a_skill(
    question: Question, model: tuple[Any, Any]
) -> None:
    answers = answers_of(question, lambda: model, lambda: model, PARAMS)
    assert list(answers) == list(System)
    found = evaluated(question, answers, PARAMS, frozenset(), {})
    for system in (System.BASE_CONSTRAINED, System.RETRIEVED_CONSTRAINED, System.TUNED_CONSTRAINED):
        for said, verdict in zip(answers[system], found.verdicts[system], strict=True):
            assert verdict.well_formed or not said.ended
            assert (verdict.invented_skill, verdict.invented_parameters) == (0, 0)
    assert found.figures[System.NEAREST]["exact_match"].value == 0.25


def test_constrained_answers_are_the_same_whether_free_ones_are_known(
    question: Question, model: tuple[Any, Any]
) -> None:
    both = answers_of(question, lambda: model, lambda: model, PARAMS)
    alone = msgspec.structs.replace(PARAMS, compare=(System.TUNED_CONSTRAINED,))
    assert (
        answers_of(question, lambda: model, lambda: model, alone)[System.TUNED_CONSTRAINED]
        == both[System.TUNED_CONSTRAINED]
    )


def test_an_answer_is_admitted_where_it_is_whole_and_of_the_grammar(model: tuple[Any, Any]) -> None:
    grammar = call_grammar([SKILLS["call"]], CallFormat.PYTHON)
    said = [
        Decoded('call(contact="mum")', True),
        Decoded("None", True),
        Decoded('call(contact="mum"', True),
        Decoded('call(contact="mum")', False),
        Decoded('ring(contact="mum")', True),
    ]
    assert admitted(*model, said, [grammar] * 5) == [True, True, False, False, False]


def test_batches_change_no_answer(question: Question, model: tuple[Any, Any]) -> None:
    prompts = [row["input_ids"][: row["prompt_tokens"]] for row in question.rows]
    alone = decoded(*model, prompts, None, CallFormat.PYTHON, 8, 1, "one by one")
    together = decoded(*model, prompts, None, CallFormat.PYTHON, 8, 4, "together")
    assert alone == together
    assert len(alone) == len(prompts)


def test_an_answer_is_cut_where_it_can_be_no_call_any_more(
    question: Question, model: tuple[Any, Any]
) -> None:
    prompts = [row["input_ids"][: row["prompt_tokens"]] for row in question.rows]
    for said in decoded(*model, prompts, None, CallFormat.JSON, 40, 4, "prose"):
        assert said.ended
        assert not is_call_prefix(said.text, CallFormat.JSON)
        assert is_call_prefix(said.text[:1], CallFormat.JSON) or len(model[1].tokenize(said.text)) <= 1


@pytest.mark.parametrize(
    ("most", "template", "examples"),
    [
        (None, "", 2),
        (60, "", 1),
        (10, "", 0),
        (None, "{% if messages | length > 4 %}{{ raise_exception('') }}{% endif %}", 1),
    ],
    ids=["all", "as many as fit", "none fits", "as many as the template takes"],
)
def test_a_retrieved_prompt_has_the_examples_that_fit(
    most: int | None, template: str, examples: int, question: Question, model: tuple[Any, Any]
) -> None:
    tokenizer = copy.deepcopy(model[1])
    tokenizer.chat_template = template + TEMPLATE
    (row, *_), (near, *_) = question.rows, question.near
    tokens = retrieved_prompt(tokenizer, row, near, (), most)
    assert tokenizer.decode(tokens).count("<|user|>") == 1 + examples


def answers(texts: dict[str, list[str]]) -> dict[System, list[Decoded]]:
    return {System(name): [Decoded(text, True) for text in said] for name, said in texts.items()}


def test_report_has_figures_errors_slices_and_comparisons(question: Question) -> None:
    right = [row["messages"][-1]["content"] for row in question.rows]
    said = answers({"base": ["what?"] * 4, "tuned_constrained": [*right[:3], "None"]})
    found = evaluated(question, said, PARAMS, frozenset(), {})
    report = evaluate_report(found, "lora-1-2", PARAMS)
    assert (report["run"], report["rows"], report["groups"]) == ("lora-1-2", 4, 3)
    assert report["data_hash"] == hash_split(sorted(row["digest"] for row in question.rows))
    assert report["systems"]["base"]["exact_match"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert report["systems"]["base"]["errors"] == {"malformed": 4}
    assert report["systems"]["tuned_constrained"]["exact_match"]["value"] == 1.0
    against = report["reference_against"]["base"]
    assert (against["right_in_reference_alone"], against["mcnemar_p"]) == (4, 0.125)
    assert against["differences"]["exact_match"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert against["warning"] == "4 rows do not tell this difference from luck; about 6 such rows would"
    assert report["slices"]["mode"]["none"] == {"rows": 1, "value": 1.0, "low": 1.0, "high": 1.0}
    assert error_rows(found, System.BASE) == [{"kind": "malformed", "rows": 4}]
    assert error_rows(found, System.TUNED_CONSTRAINED) == []
    assert msgspec.json.decode(msgspec.json.encode(report)) == report


def test_predictions_are_kept_with_their_error_and_their_nearest_rows(question: Question) -> None:
    found = evaluated(question, answers({"tuned_constrained": ["None"] * 4}), PARAMS, frozenset(), {})
    rows = prediction_rows(found)
    assert [row[:3] for row in rows] == [
        ("s:ring dad at work", "tuned_constrained", "missed"),
        ("s:ring mum", "tuned_constrained", "missed"),
        ("s:ten minutes", "tuned_constrained", "missed"),
        ("s:thanks", "tuned_constrained", "right"),
    ]
    assert all(len(row[9]) == 2 for row in rows)
    assert kinds(found, System.TUNED_CONSTRAINED) == {"right": 1, "missed": 3}
    assert {"actual": "call", "predicted": "(none)"} in confusion(found, System.TUNED_CONSTRAINED)


def test_asked_rows_are_the_first_by_their_order_with_their_speech_views() -> None:
    rows = [{"view": "call", "exemplar_id": name} for name in ("a", "a~speech", "b", "c", "c~speech")]
    order = {"a": 0.9, "b": 0.5, "c": 0.1}
    assert asked_rows(rows, 2, order) == [rows[2], rows[3], rows[4]]
    assert asked_rows([*rows, {"view": "slot", "exemplar_id": "b"}], None, order) == rows
