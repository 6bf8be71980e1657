from __future__ import annotations

import pytest

from exemplars.core.bootstrap import Columns, Figure, Resamples, compute_mcnemar_p_value
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.models.call_matching import ExpectedCall
from exemplars.models.calls import CallFormat
from exemplars.models.scoring import ExpectedAnswer, Score, score_prediction
from stages.evaluate.metrics import CALL_METRICS, build_count_columns

SKILLS = {"a": Skill("a", parameters=(Parameter("x"),)), "b": Skill("b")}


def score(text: str, skill: str | None, **accepted: tuple[str, ...]) -> Score:
    calls = () if skill is None else (ExpectedCall(skill, accepted, dict.fromkeys(accepted, "verbatim")),)
    return score_prediction(text, True, ExpectedAnswer(calls, frozenset(SKILLS)), SKILLS, CallFormat.PYTHON)


RIGHT = score('a(x="1")', "a", x=("1",))
WRONG = score('a(x="2")', "a", x=("1",))
SILENT = score("None", None)
MISSED = score("None", "b")


def columns(*scores: Score) -> Columns:
    return build_count_columns(scores)


def exact_match(groups: list[str], count: int, *scores: Score) -> Figure:
    figures = Resamples(groups, count, 1).compute_figures(columns(*scores), range(len(scores)), CALL_METRICS)
    return figures["exact_match"]


def test_figures_are_ratios_of_sums() -> None:
    counts = columns(RIGHT, WRONG, SILENT, MISSED)
    figures = Resamples(["g1", "g2", "g3", "g4"], 200, 1).compute_figures(counts, range(4), CALL_METRICS)
    values = {name: figure.value for name, figure in figures.items()}
    assert values == {
        "exact_match": 0.5,
        "skill_accuracy": 0.75,
        "argument_precision": 0.5,
        "argument_recall": 0.5,
        "argument_f1": 0.5,
        "no_call_precision": 0.5,
        "no_call_recall": 1.0,
        "well_formed": 1.0,
        "hallucinated_functions": 0.0,
        "hallucinated_arguments": 0.0,
    }


def test_figures_of_several_calls_are_shares_of_calls() -> None:
    calls = tuple(ExpectedCall("a", {"x": (value,)}, {"x": "verbatim"}) for value in "12")
    expected = ExpectedAnswer(calls, frozenset({"a"}))
    texts = ('[a(x="2"), a(x="1")]', '[a(x="1"), b(), c(y=1)]', "None")
    scores = [score_prediction(text, True, expected, SKILLS, CallFormat.PYTHON) for text in texts]
    figures = Resamples(["g"] * 3, 10, 1).compute_figures(columns(*scores), range(3), CALL_METRICS)
    assert {name: figure.value for name, figure in figures.items()} == {
        "exact_match": 1 / 3,
        "skill_accuracy": 3 / 7,
        "argument_precision": 3 / 4,
        "argument_recall": 3 / 6,
        "argument_f1": 6 / 10,
        "no_call_precision": 0.0,
        "no_call_recall": None,
        "well_formed": 1.0,
        "hallucinated_functions": 2 / 6,
        "hallucinated_arguments": 1 / 4,
    }


def test_interval_of_one_group_is_a_point() -> None:
    assert exact_match(["g", "g"], 100, RIGHT, WRONG) == Figure(0.5, 0.5, 0.5)


def test_rows_of_a_group_are_sampled_together() -> None:
    scores = (RIGHT, RIGHT, WRONG, WRONG)
    torn = exact_match(["a", "b", "c", "d"], 2000, *scores)
    whole = exact_match(["a", "a", "b", "b"], 2000, *scores)
    assert (whole.low, whole.high) == (0.0, 1.0)
    assert torn.value == whole.value == 0.5


def test_a_figure_without_rows_is_undefined() -> None:
    figures = Resamples(["a"], 10, 1).compute_figures(columns(RIGHT), range(1), CALL_METRICS)
    assert figures["no_call_recall"] == Figure(None, None, None)


@pytest.mark.parametrize(
    ("only_first", "only_second", "p_value"),
    [(0, 0, 1.0), (5, 0, 0.0625), (10, 0, 0.001953125), (6, 6, 1.0), (1, 9, 0.021484375)],
)
def test_mcnemar_is_exact(only_first: int, only_second: int, p_value: float) -> None:
    assert compute_mcnemar_p_value(only_first, only_second) == pytest.approx(p_value)


def test_difference_that_may_be_luck_is_warned_about() -> None:
    first, second = columns(*[RIGHT] * 3, WRONG), columns(RIGHT, RIGHT, WRONG, WRONG)
    comparison = Resamples(list("abcd"), 200, 1).compare(first, second, range(4), CALL_METRICS)
    assert (comparison.only_first, comparison.only_second, comparison.p_value) == (1, 0, 1.0)
    assert comparison.differences["exact_match"].value == 0.25
    assert comparison.warning == "4 rows do not tell this difference from luck; about 23 such rows would"


def test_difference_beyond_luck_has_no_warning() -> None:
    names = [str(number) for number in range(20)]
    first, second = columns(*[RIGHT] * 20), columns(*[WRONG] * 20)
    comparison = Resamples(names, 200, 1).compare(first, second, range(20), CALL_METRICS)
    assert comparison.warning is None
    assert comparison.differences["exact_match"] == Figure(1.0, 1.0, 1.0)


def test_differences_of_all_metrics_are_paired_row_by_row() -> None:
    # Each group has one row that both have right and one that only the first has: whichever groups are
    # sampled, the difference is a half, though either figure alone would vary with uneven groups.
    first, second = columns(*[RIGHT, RIGHT] * 3), columns(*[RIGHT, WRONG] * 3)
    differences = Resamples(list("aabbcc"), 500, 1).compute_differences(first, second, range(6), CALL_METRICS)
    assert differences["exact_match"] == differences["argument_f1"] == Figure(0.5, 0.5, 0.5)
    assert differences["skill_accuracy"] == Figure(0.0, 0.0, 0.0)
    assert differences["no_call_recall"] == Figure(None, None, None)


def test_a_comparison_counts_only_the_chosen_rows() -> None:
    comparison = Resamples(list("abc"), 50, 1).compare(
        columns(RIGHT, WRONG, RIGHT), columns(WRONG, RIGHT, RIGHT), [0, 2], CALL_METRICS
    )
    assert (comparison.only_first, comparison.only_second) == (1, 0)
