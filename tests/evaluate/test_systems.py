"""Systems on a tiny model with random weights: its answers are noise, but constrained ones are calls."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from exemplars.core.conditions import Condition
from exemplars.core.digests import hash_split
from exemplars.core.records import Argument, Grounding
from exemplars.models.base_models import FolderBase, find_base, load_model, load_tokenizer
from exemplars.models.calls import CallFormat, is_call_prefix
from exemplars.models.decoding import Completion, decode_prompts, match_grammars
from exemplars.models.grammar import build_call_grammar
from exemplars.models.tagger.calls import TaggedCall, TaggedTurn
from stages.evaluate.evaluation import Evaluation, evaluate_systems
from stages.evaluate.language_models import build_retrieval_prompt
from stages.evaluate.loaders import Models
from stages.evaluate.predictions import count_errors, list_confusions, list_error_counts, list_predictions
from stages.evaluate.replies import Reply
from stages.evaluate.report import Retrieval, build_evaluate_report, build_system_metrics
from stages.evaluate.system_names import Role, System, choose_systems
from stages.evaluate.systems import collect_replies
from stages.evaluate.task import Task
from tests.evaluate.tasks import PARAMS, ROWS, make_tasks
from tests.render.rows import SKILLS
from tests.tiny import TEMPLATE, save_tiny

torch = pytest.importorskip("torch")
pytest.importorskip("xgrammar")

BOTH = (Condition.ORACLE, Condition.END_TO_END)


class FixedTagger:
    """Calls mum whatever is asked, and is sure of the first answer alone."""

    def answer(self, questions: Sequence[Any], shown: Sequence[Any]) -> list[TaggedTurn]:
        contact = Argument("contact", "mum", None, None, None, Grounding.CATEGORICAL)
        call = TaggedCall("call", (contact,), -1.0)
        return [TaggedTurn((call,), -float(place)) for place in range(len(questions))]

    def rate(self, answer: TaggedTurn) -> float:
        return 0.5 if answer.score else 1.0

    def hands_over(self, answer: TaggedTurn) -> bool:
        return answer.score < 0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    files = find_base(FolderBase(path=str(save_tiny(tmp_path_factory.mktemp("tiny"))), license="MIT"))
    return load_model(files, dtype="float32").eval(), load_tokenizer(files)


@pytest.fixture(scope="module")
def tasks(model: tuple[Any, Any]) -> Mapping[Condition, Task]:
    return make_tasks(model[1])


def list_prompts(task: Task) -> list[Sequence[int]]:
    return [row.input_ids[: row.prompt_tokens] for row in task.rows]


def choose(*names: str) -> dict[str, System]:
    return choose_systems(names, names[-1], {"tagger": Role.TAGGER, "lora": Role.LANGUAGE_MODEL})


def test_every_system_answers_every_row_and_constrained_ones_hallucinate_nothing(
    tasks: Mapping[Condition, Task], model: tuple[Any, Any]
) -> None:
    systems = choose(
        "knn", "base", "base_constrained", "retrieved", "retrieved_constrained", "runs", "cascade"
    )
    models = Models({None: lambda: model, "lora": lambda: model}, {"tagger": FixedTagger()})
    replies = collect_replies(systems, tasks, models, PARAMS)
    assert {condition: list(answers) for condition, answers in replies.items()} == {
        condition: list(systems) for condition in BOTH
    }
    for condition, task in tasks.items():
        evaluation = evaluate_systems(task, replies[condition], PARAMS, {})
        for system in ("base_constrained", "retrieved_constrained", "lora_constrained"):
            for reply, score in zip(replies[condition][system], evaluation.scores[system], strict=True):
                assert score.well_formed or not reply.ended
                assert (score.hallucinated_functions, score.hallucinated_arguments) == (0, 0)
        cascade, constrained = replies[condition]["cascade"], replies[condition]["lora_constrained"]
        assert cascade[0] == Reply('call(contact="mum")', True, 1.0, "tagger")
        assert [reply[:2] for reply in cascade[1:]] == [reply[:2] for reply in constrained[1:]]
        assert {reply.answered_by for reply in cascade[1:]} == {"lora_constrained"}


def test_constrained_answers_are_the_same_whether_free_ones_are_known(
    tasks: Mapping[Condition, Task], model: tuple[Any, Any]
) -> None:
    models = Models({"lora": lambda: model}, {})
    both = collect_replies(choose("lora", "lora_constrained"), tasks, models, PARAMS)
    alone = collect_replies(choose("lora_constrained"), tasks, models, PARAMS)
    for condition in BOTH:
        assert alone[condition]["lora_constrained"] == both[condition]["lora_constrained"]


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


def test_batches_change_no_answer(tasks: Mapping[Condition, Task], model: tuple[Any, Any]) -> None:
    prompts = list_prompts(tasks[Condition.ORACLE])
    alone = decode_prompts(*model, prompts, None, CallFormat.PYTHON, 8, 1, "one by one")
    together = decode_prompts(*model, prompts, None, CallFormat.PYTHON, 8, 4, "together")
    assert alone == together
    assert len(alone) == len(prompts)


def test_a_completion_is_cut_where_it_can_no_longer_become_a_call(
    tasks: Mapping[Condition, Task], model: tuple[Any, Any]
) -> None:
    prompts = list_prompts(tasks[Condition.ORACLE])
    for completion in decode_prompts(*model, prompts, None, CallFormat.JSON, 40, 4, "prose"):
        assert completion.ended
        assert not is_call_prefix(completion.text, CallFormat.JSON)
        first_token = len(model[1].tokenize(completion.text)) <= 1
        assert is_call_prefix(completion.text[:1], CallFormat.JSON) or first_token


@pytest.mark.parametrize(
    ("limit", "template", "examples"),
    [
        (None, "", 2),
        (70, "", 1),
        (10, "", 0),
        (None, "{% if messages | length > 4 %}{{ raise_exception('') }}{% endif %}", 1),
    ],
    ids=["all", "as many as fit", "none fits", "as many as the template takes"],
)
def test_a_retrieved_prompt_has_the_examples_that_fit(
    limit: int | None,
    template: str,
    examples: int,
    tasks: Mapping[Condition, Task],
    model: tuple[Any, Any],
) -> None:
    tokenizer = copy.deepcopy(model[1])
    tokenizer.chat_template = template + TEMPLATE
    task = tasks[Condition.END_TO_END]
    tokens = build_retrieval_prompt(tokenizer, task.rows[1], task.neighbors[1], (), limit)
    assert tokenizer.decode(tokens).count("<|user|>") == 1 + examples


def evaluate(
    tasks: Mapping[Condition, Task], texts: Mapping[str, Sequence[str]]
) -> dict[Condition, Evaluation]:
    replies = {name: [Reply(text) for text in said] for name, said in texts.items()}
    return {condition: evaluate_systems(task, replies, PARAMS, {}) for condition, task in tasks.items()}


RIGHT = ('call(contact="dad", device="work")', 'call(contact="mum")', "set_timer(minutes=10)", "None")


def test_the_report_has_figures_errors_slices_and_comparisons_of_each_condition(
    tasks: Mapping[Condition, Task],
) -> None:
    evaluations = evaluate(tasks, {"knn": ["what?"] * 4, "base": RIGHT})
    runs = {"lora": {"run": "lora-1-2", "role": "language_model"}}
    report = build_evaluate_report(evaluations, runs, Retrieval("none", 2, {}), {}, PARAMS)
    assert (report["runs"], report["rows"], report["groups"], report["not_asked"]) == (runs, 4, 3, 0)
    assert report["data_hash"] == hash_split(sorted(row.digest for row in ROWS))
    assert msgspec.json.decode(msgspec.json.encode(report)) == report
    figures = report["conditions"]["end_to_end"]
    assert figures["systems"]["knn"]["exact_match"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert figures["systems"]["knn"]["errors"] == {"malformed": 4}
    assert figures["systems"]["base"]["exact_match"]["value"] == 1.0
    against = figures["reference_against"]["knn"]
    assert (against["only_reference_right"], against["mcnemar_p"]) == (4, 0.125)
    assert against["differences"]["exact_match"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert against["warning"] == "4 rows do not tell this difference from luck; about 6 such rows would"
    assert figures["slices"]["mode"]["none"] == {"rows": 1, "value": 1.0, "low": 1.0, "high": 1.0}
    assert {name: part["rows"] for name, part in figures["slices"]["retrieval"].items()} == {
        "hit": 2,
        "miss": 1,
    }
    assert "retrieval" not in report["conditions"]["oracle"]["slices"]
    evaluation = evaluations[Condition.ORACLE]
    assert list_error_counts(evaluation, "knn") == [{"kind": "malformed", "rows": 4}]
    assert list_error_counts(evaluation, "base") == []
    assert build_system_metrics(report)["oracle"]["base"]["exact_match"] == 1.0


def test_predictions_are_kept_with_their_error_shown_tools_and_nearest_rows(
    tasks: Mapping[Condition, Task],
) -> None:
    evaluations = evaluate(tasks, {"base": ["None"] * 4})
    rows = list_predictions(evaluations)
    assert [(row.id, row.condition, row.kind) for row in rows[2:]] == [
        ("s:ring mum", "end_to_end", "missed"),
        ("s:ring mum", "oracle", "missed"),
        ("s:ten minutes", "end_to_end", "missed"),
        ("s:ten minutes", "oracle", "missed"),
        ("s:thanks", "end_to_end", "right"),
        ("s:thanks", "oracle", "right"),
    ]
    assert all(len(row.nearest) == 2 for row in rows)
    assert rows[4].shown == ("call", "weather")
    assert "set_timer" in rows[5].shown
    evaluation = evaluations[Condition.END_TO_END]
    assert count_errors(evaluation, "base") == {"right": 1, "missed": 3}
    assert {"actual": "call", "predicted": "(none)"} in list_confusions(evaluation, "base")


def test_confidence_is_reported_as_risk_and_a_cascade_by_its_parts(tasks: Mapping[Condition, Task]) -> None:
    sure = [Reply(text, True, 1.0 - place / 10) for place, text in enumerate((*RIGHT[:2], "None", "None"))]
    parts = [reply._replace(answered_by=name) for reply, name in zip(sure, "abba", strict=True)]
    task = tasks[Condition.END_TO_END]
    evaluation = evaluate_systems(task, {"tagger": sure, "base": parts}, PARAMS, {})
    report = build_evaluate_report(
        {condition: evaluation for condition in BOTH}, {}, Retrieval("none", 2, {}), {}, PARAMS
    )
    systems = report["conditions"]["end_to_end"]["systems"]
    risks = {point["coverage"]: point["risk"] for point in systems["tagger"]["risks"]}
    assert (risks[0.5], risks[0.75], risks[1.0]) == (0.0, 0.3333, 0.25)
    assert systems["base"]["parts"] == {
        "a": {"rows": 2, "share": 0.5, "exact_match": 1.0},
        "b": {"rows": 2, "share": 0.5, "exact_match": 0.5},
    }
