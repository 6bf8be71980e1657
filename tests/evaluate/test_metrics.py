from __future__ import annotations

import pytest

from stages.core.calls import CallFormat
from stages.core.catalog import Parameter, Skill
from stages.evaluate.judging import Target, Verdict, judged
from stages.evaluate.metrics import Figure, Resamples, mcnemar

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


def test_figures_are_ratios_of_sums() -> None:
    verdicts = [RIGHT, WRONG, SILENT, MISSED]
    figures = Resamples(["g1", "g2", "g3", "g4"], 200, 1).figures(verdicts, range(4))
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
    figure = Resamples(["g", "g"], 100, 1).figures([RIGHT, WRONG], range(2))["exact_match"]
    assert figure == Figure(0.5, 0.5, 0.5)


def test_rows_of_a_group_are_drawn_together() -> None:
    verdicts = [RIGHT, RIGHT, WRONG, WRONG]
    torn = Resamples(["a", "b", "c", "d"], 2000, 1).figures(verdicts, range(4))["exact_match"]
    whole = Resamples(["a", "a", "b", "b"], 2000, 1).figures(verdicts, range(4))["exact_match"]
    assert (whole.low, whole.high) == (0.0, 1.0)
    assert torn.value == whole.value == 0.5


def test_figure_without_rows_is_not_defined() -> None:
    figures = Resamples(["a"], 10, 1).figures([RIGHT], range(1))
    assert figures["none_recall"] == Figure(None, None, None)


@pytest.mark.parametrize(
    ("only_first", "only_second", "p_value"),
    [(0, 0, 1.0), (5, 0, 0.0625), (10, 0, 0.001953125), (6, 6, 1.0), (1, 9, 0.021484375)],
)
def test_mcnemar_is_exact(only_first: int, only_second: int, p_value: float) -> None:
    assert mcnemar(only_first, only_second) == pytest.approx(p_value)


def test_difference_that_may_be_luck_is_warned_about() -> None:
    first, second = [RIGHT] * 3 + [WRONG], [RIGHT, RIGHT, WRONG, WRONG]
    found = Resamples(list("abcd"), 200, 1).compare(first, second)
    assert (found.only_first, found.only_second, found.p_value) == (1, 0, 1.0)
    assert found.difference.value == 0.25
    assert found.warning == "4 rows do not tell this difference from luck; about 16 would"


def test_difference_beyond_luck_has_no_warning() -> None:
    found = Resamples([str(one) for one in range(20)], 200, 1).compare([RIGHT] * 20, [WRONG] * 20)
    assert found.warning is None
    assert found.difference == Figure(1.0, 1.0, 1.0)
