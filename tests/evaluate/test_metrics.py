from __future__ import annotations

import pytest

from exemplars.dataset.catalog import Parameter, Skill
from exemplars.models.calls import CallFormat
from stages.evaluate.metrics import CALL_METRICS, Columns, Figure, Resamples, count_columns, mcnemar
from stages.evaluate.scoring import Target, Verdict, judged

SKILLS = {"a": Skill("a", parameters=(Parameter("x"),)), "b": Skill("b")}


def verdict(text: str, skill: str | None, **accepted: tuple[str, ...]) -> Verdict:
    groundings = dict.fromkeys(accepted, "verbatim")
    return judged(
        text, True, Target(skill, accepted, groundings, frozenset(SKILLS)), SKILLS, CallFormat.PYTHON
    )


RIGHT = verdict('a(x="1")', "a", x=("1",))
WRONG = verdict('a(x="2")', "a", x=("1",))
SILENT = verdict("None", None)
MISSED = verdict("None", "b")


def columns(*verdicts: Verdict) -> Columns:
    return count_columns(verdicts)


def exact_match(groups: list[str], count: int, *verdicts: Verdict) -> Figure:
    found = Resamples(groups, count, 1).figures(columns(*verdicts), range(len(verdicts)), CALL_METRICS)
    return found["exact_match"]


def test_figures_are_ratios_of_sums() -> None:
    counts = columns(RIGHT, WRONG, SILENT, MISSED)
    figures = Resamples(["g1", "g2", "g3", "g4"], 200, 1).figures(counts, range(4), CALL_METRICS)
    values = {name: figure.value for name, figure in figures.items()}
    assert values == {
        "exact_match": 0.5,
        "skill_accuracy": 0.75,
        "argument_precision": 0.5,
        "argument_recall": 0.5,
        "argument_f1": 0.5,
        "none_precision": 0.5,
        "none_recall": 1.0,
        "well_formed": 1.0,
        "invented_skills": 0.0,
        "invented_parameters": 0.0,
    }


def test_interval_of_one_group_is_a_point() -> None:
    assert exact_match(["g", "g"], 100, RIGHT, WRONG) == Figure(0.5, 0.5, 0.5)


def test_rows_of_a_group_are_drawn_together() -> None:
    verdicts = (RIGHT, RIGHT, WRONG, WRONG)
    torn = exact_match(["a", "b", "c", "d"], 2000, *verdicts)
    whole = exact_match(["a", "a", "b", "b"], 2000, *verdicts)
    assert (whole.low, whole.high) == (0.0, 1.0)
    assert torn.value == whole.value == 0.5


def test_figure_without_rows_is_not_defined() -> None:
    figures = Resamples(["a"], 10, 1).figures(columns(RIGHT), range(1), CALL_METRICS)
    assert figures["none_recall"] == Figure(None, None, None)


@pytest.mark.parametrize(
    ("only_first", "only_second", "p_value"),
    [(0, 0, 1.0), (5, 0, 0.0625), (10, 0, 0.001953125), (6, 6, 1.0), (1, 9, 0.021484375)],
)
def test_mcnemar_is_exact(only_first: int, only_second: int, p_value: float) -> None:
    assert mcnemar(only_first, only_second) == pytest.approx(p_value)


def test_difference_that_may_be_luck_is_warned_about() -> None:
    first, second = columns(*[RIGHT] * 3, WRONG), columns(RIGHT, RIGHT, WRONG, WRONG)
    found = Resamples(list("abcd"), 200, 1).compare(first, second, range(4), CALL_METRICS)
    assert (found.only_first, found.only_second, found.p_value) == (1, 0, 1.0)
    assert found.differences["exact_match"].value == 0.25
    assert found.warning == "4 rows do not tell this difference from luck; about 23 such rows would"


def test_difference_beyond_luck_has_no_warning() -> None:
    names = [str(one) for one in range(20)]
    first, second = columns(*[RIGHT] * 20), columns(*[WRONG] * 20)
    found = Resamples(names, 200, 1).compare(first, second, range(20), CALL_METRICS)
    assert found.warning is None
    assert found.differences["exact_match"] == Figure(1.0, 1.0, 1.0)


def test_differences_of_all_metrics_are_paired_row_by_row() -> None:
    # Each group has one row that both have right and one that the first alone has: however groups are
    # drawn, the difference is a half, though either figure alone would vary with uneven groups.
    first, second = columns(*[RIGHT, RIGHT] * 3), columns(*[RIGHT, WRONG] * 3)
    found = Resamples(list("aabbcc"), 500, 1).differences(first, second, range(6), CALL_METRICS)
    assert found["exact_match"] == found["argument_f1"] == Figure(0.5, 0.5, 0.5)
    assert found["skill_accuracy"] == Figure(0.0, 0.0, 0.0)
    assert found["none_recall"] == Figure(None, None, None)


def test_comparison_looks_at_the_chosen_rows_alone() -> None:
    found = Resamples(list("abc"), 50, 1).compare(
        columns(RIGHT, WRONG, RIGHT), columns(WRONG, RIGHT, RIGHT), [0, 2], CALL_METRICS
    )
    assert (found.only_first, found.only_second) == (1, 0)
