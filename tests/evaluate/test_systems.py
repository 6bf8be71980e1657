"""Systems on a tiny model with random weights: its answers are noise, but constrained ones are calls."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest

from exemplars.core.digests import hash_split
from exemplars.models.base_models import FolderBase, find_base, load_model, load_tokenizer
from exemplars.models.calls import CallFormat, is_call_prefix
from exemplars.models.decoding import Completion, decode_prompts, match_grammars
from exemplars.models.grammar import build_call_grammar
from exemplars.models.rows import View
from stages.evaluate.evaluation import evaluate_systems
from stages.evaluate.params import EvaluateParams, System
from stages.evaluate.predictions import count_errors, list_confusions, list_error_counts, list_predictions
from stages.evaluate.question import Question, list_tool_names, sample_test_rows
from stages.evaluate.report import build_evaluate_report
from stages.evaluate.systems import build_retrieval_prompt, collect_answers
from stages.render.training_rows import render_split
from tests.chat_rows import make_training_row
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
    min_slice_rows=1,
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
    split = render_split(ROWS, "test", SKILLS, model[1], params(), 400)
    rows = split.rows
    tools = [[SKILLS[name] for name in list_tool_names(row)] for row in rows]
    neighbors = [[rows[0], rows[1]] for _ in rows]
    return Question(rows, tools, SKILLS, neighbors, frozenset(), CallFormat.PYTHON, False)


def test_every_system_answers_every_row_and_constrained_ones_hallucinate_nothing(
    question: Question, model: tuple[Any, Any]
) -> None:
    answers = collect_answers(question, lambda: model, lambda: model, PARAMS)
    assert list(answers) == list(System)
    evaluation = evaluate_systems(question, answers, PARAMS, {})
    for system in (System.BASE_CONSTRAINED, System.RETRIEVED_CONSTRAINED, System.TUNED_CONSTRAINED):
        for completion, score in zip(answers[system], evaluation.scores[system], strict=True):
            assert score.well_formed or not completion.ended
            assert (score.hallucinated_functions, score.hallucinated_arguments) == (0, 0)
    assert evaluation.figures[System.KNN]["exact_match"].value == 0.25


def test_constrained_answers_are_the_same_whether_free_ones_are_known(
    question: Question, model: tuple[Any, Any]
) -> None:
    both = collect_answers(question, lambda: model, lambda: model, PARAMS)
    alone = msgspec.structs.replace(PARAMS, compare=(System.TUNED_CONSTRAINED,))
    assert (
        collect_answers(question, lambda: model, lambda: model, alone)[System.TUNED_CONSTRAINED]
        == both[System.TUNED_CONSTRAINED]
    )


def test_a_completion_matches_if_it_ended_and_its_grammar_derives_it(model: tuple[Any, Any]) -> None:
    grammar = build_call_grammar([SKILLS["call"]], CallFormat.PYTHON)
    completions = [
        Completion('call(contact="mum")', True),
        Completion("None", True),
        Completion('call(contact="mum"', True),
        Completion('call(contact="mum")', False),
        Completion('ring(contact="mum")', True),
    ]
    assert match_grammars(*model, completions, [grammar] * 5) == [True, True, False, False, False]


def test_batches_change_no_answer(question: Question, model: tuple[Any, Any]) -> None:
    prompts = [row.input_ids[: row.prompt_tokens] for row in question.rows]
    alone = decode_prompts(*model, prompts, None, CallFormat.PYTHON, 8, 1, "one by one")
    together = decode_prompts(*model, prompts, None, CallFormat.PYTHON, 8, 4, "together")
    assert alone == together
    assert len(alone) == len(prompts)


def test_a_completion_is_cut_where_it_can_no_longer_become_a_call(
    question: Question, model: tuple[Any, Any]
) -> None:
    prompts = [row.input_ids[: row.prompt_tokens] for row in question.rows]
    for completion in decode_prompts(*model, prompts, None, CallFormat.JSON, 40, 4, "prose"):
        assert completion.ended
        assert not is_call_prefix(completion.text, CallFormat.JSON)
        first_token = len(model[1].tokenize(completion.text)) <= 1
        assert is_call_prefix(completion.text[:1], CallFormat.JSON) or first_token


@pytest.mark.parametrize(
    ("limit", "template", "examples"),
    [
        (None, "", 2),
        (60, "", 1),
        (10, "", 0),
        (None, "{% if messages | length > 4 %}{{ raise_exception('') }}{% endif %}", 1),
    ],
    ids=["all", "as many as fit", "none fits", "as many as the template takes"],
)
def test_a_retrieved_prompt_has_the_examples_that_fit(
    limit: int | None, template: str, examples: int, question: Question, model: tuple[Any, Any]
) -> None:
    tokenizer = copy.deepcopy(model[1])
    tokenizer.chat_template = template + TEMPLATE
    (row, *_), (neighbors, *_) = question.rows, question.neighbors
    tokens = build_retrieval_prompt(tokenizer, row, neighbors, (), limit)
    assert tokenizer.decode(tokens).count("<|user|>") == 1 + examples


def answers(texts: dict[str, list[str]]) -> dict[System, list[Completion]]:
    return {System(name): [Completion(text, True) for text in said] for name, said in texts.items()}


def test_report_has_figures_errors_slices_and_comparisons(question: Question) -> None:
    right = [row.messages[-1].content for row in question.rows]
    texts = answers({"base": ["what?"] * 4, "tuned_constrained": [*right[:3], "None"]})
    evaluation = evaluate_systems(question, texts, PARAMS, {})
    report = build_evaluate_report(evaluation, "lora-1-2", PARAMS)
    assert (report["run"], report["rows"], report["groups"]) == ("lora-1-2", 4, 3)
    assert report["data_hash"] == hash_split(
        sorted(digest for row in question.rows for digest in row.digests)
    )
    assert report["systems"]["base"]["exact_match"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert report["systems"]["base"]["errors"] == {"malformed": 4}
    assert report["systems"]["tuned_constrained"]["exact_match"]["value"] == 1.0
    against = report["reference_against"]["base"]
    assert (against["only_reference_right"], against["mcnemar_p"]) == (4, 0.125)
    assert against["differences"]["exact_match"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert against["warning"] == "4 rows do not tell this difference from luck; about 6 such rows would"
    assert report["slices"]["mode"]["none"] == {"rows": 1, "value": 1.0, "low": 1.0, "high": 1.0}
    assert list_error_counts(evaluation, System.BASE) == [{"kind": "malformed", "rows": 4}]
    assert list_error_counts(evaluation, System.TUNED_CONSTRAINED) == []
    assert msgspec.json.decode(msgspec.json.encode(report)) == report


def test_predictions_are_kept_with_their_error_and_their_nearest_rows(question: Question) -> None:
    evaluation = evaluate_systems(question, answers({"tuned_constrained": ["None"] * 4}), PARAMS, {})
    rows = list_predictions(evaluation)
    assert [(row.id, row.system, row.kind) for row in rows] == [
        ("s:ring dad at work", "tuned_constrained", "missed"),
        ("s:ring mum", "tuned_constrained", "missed"),
        ("s:ten minutes", "tuned_constrained", "missed"),
        ("s:thanks", "tuned_constrained", "right"),
    ]
    assert all(len(row.nearest) == 2 for row in rows)
    assert count_errors(evaluation, System.TUNED_CONSTRAINED) == {"right": 1, "missed": 3}
    assert {"actual": "call", "predicted": "(none)"} in list_confusions(evaluation, System.TUNED_CONSTRAINED)


def test_test_rows_are_the_first_by_their_order_with_their_speech_views() -> None:
    rows = [make_training_row(exemplar_ids=(name,)) for name in ("a", "a~speech", "b", "c", "c~speech")]
    order = {"a": 0.9, "b": 0.5, "c": 0.1}
    assert sample_test_rows(rows, 2, order) == [rows[2], rows[3], rows[4]]
    slot_row = make_training_row(view=View.SLOT, exemplar_ids=("b",))
    assert sample_test_rows([*rows, slot_row], None, order) == rows
