from __future__ import annotations

import random

import pytest

from exemplars.models.preference_rows import PairSource, PreferencePair, Verdict
from stages.publish.system_ratings import (
    Comparison,
    list_judged_comparisons,
    list_scored_comparisons,
    rate_systems,
)


def compare(first: str, second: str, wins: int, losses: int, ties: int = 0) -> list[Comparison]:
    winners = [first] * wins + [second] * losses + [None] * ties
    return [Comparison(first, second, winner, f"g{number}") for number, winner in enumerate(winners)]


def test_odds_of_ten_to_one_are_four_hundred_points_and_the_mean_is_a_thousand() -> None:
    first, second = rate_systems(compare("a", "b", wins=1000, losses=100), with_elo=False).systems
    assert (first.system, second.system) == ("a", "b")
    # One virtual tie: 1000.5 against 100.5.
    assert first.bradley_terry.value == pytest.approx(1199.6, abs=0.1)
    assert second.bradley_terry.value == pytest.approx(800.4, abs=0.1)
    assert first.bradley_terry.low is not None and first.bradley_terry.high is not None
    assert 1170 < first.bradley_terry.low < 1199.6 < first.bradley_terry.high < 1240
    assert (first.comparisons, first.wins, first.losses, first.ties) == (1100, 1000, 100, 0)


def test_a_system_that_always_wins_has_a_finite_rating_and_one_without_losses_is_not_far_from_equal() -> None:
    (best, worst) = rate_systems(compare("a", "b", wins=3, losses=0)).systems
    assert best.bradley_terry.value == pytest.approx(1169.0, abs=0.1)  # 3.5 to 0.5, half of it on each side
    assert best.elo is not None and worst.elo is not None
    assert best.elo.value is not None and worst.elo.value is not None
    assert best.elo.value > 1000 > worst.elo.value


def test_ties_alone_are_equal_ratings() -> None:
    ratings = rate_systems(compare("a", "b", wins=0, losses=0, ties=250))
    assert [rating.bradley_terry for rating in ratings.systems] == [(1000.0, 1000.0, 1000.0)] * 2
    assert [rating.elo for rating in ratings.systems] == [(1000.0, 1000.0, 1000.0)] * 2
    assert ratings.warnings == ()


def test_the_order_of_comparisons_and_who_is_first_change_nothing() -> None:
    comparisons = compare("a", "b", 30, 10, 5) + compare("b", "c", 20, 15) + compare("a", "c", 9, 3)
    shuffled = comparisons[:]
    random.Random(1).shuffle(shuffled)
    rated = rate_systems(comparisons)
    assert rate_systems(shuffled) == rated
    exchanged = [item._replace(first=item.second, second=item.first) for item in comparisons]
    values = [rating.bradley_terry.value for rating in rated.systems]
    assert [
        rating.bradley_terry.value for rating in rate_systems(exchanged, with_elo=False).systems
    ] == values


def test_comparisons_of_one_group_are_resampled_together() -> None:
    apart = rate_systems(compare("a", "b", 60, 40), with_elo=False).systems[0].bradley_terry
    grouped = [item._replace(group=f"g{n // 20}") for n, item in enumerate(compare("a", "b", 60, 40))]
    together = rate_systems(grouped, with_elo=False).systems[0].bradley_terry
    assert apart.low is not None and apart.high is not None
    assert together.low is not None and together.high is not None
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_too_few_comparisons_and_systems_that_never_met_are_warned_of() -> None:
    ratings = rate_systems(compare("a", "b", 3, 1) + compare("c", "d", 2, 2), with_elo=False)
    assert ratings.warnings == (
        "8 comparisons are fewer than 200: look at the intervals, not at the order",
        "4 groups are fewer than 20: the intervals are too narrow",
        "c, d and a were not compared, not even by way of other systems: their ratings say nothing about each other",
    )
    assert rate_systems([]) == ((), 0, 0, ())


def test_judgments_count_and_other_preferences_do_not() -> None:
    pair = PreferencePair(
        version=1, id="p", row="d", chosen="x", rejected="y", source=PairSource.JUDGE, chosen_by="a", rejected_by="b"
    )  # fmt: skip
    tie = PreferencePair(
        version=1, id="q", row="e", chosen="x", rejected="y", source=PairSource.JUDGE, chosen_by="a", rejected_by="b",
        verdict=Verdict.NEITHER,
    )  # fmt: skip
    written = PreferencePair(version=1, id="r", row="d", chosen="x", rejected="y", source=PairSource.WRITTEN)
    assert list_judged_comparisons([pair, tie, written], {"d": "g"}) == [
        Comparison("a", "b", "a", "g"),
        Comparison("a", "b", None, "e"),
    ]


def test_a_right_answer_beats_a_wrong_one_on_the_same_row() -> None:
    def answer(row_id: str, system: str, kind: str, condition: str = "end_to_end") -> dict[str, object]:
        return {
            "id": row_id,
            "exemplar_ids": [row_id],
            "system": system,
            "kind": kind,
            "condition": condition,
        }

    predictions = [
        answer("r1", "b", "right"),
        answer("r1", "a", "wrong_skill"),
        answer("r1", "c", "malformed"),
        answer("r1", "a", "right", "oracle"),
        answer("r2~speech", "a", "right"),
        answer("r2~speech", "b", "malformed"),
    ]
    assert list_scored_comparisons(predictions, {"r1": "g"}) == [
        Comparison("a", "b", "b", "g"),
        Comparison("a", "c", None, "g"),
        Comparison("b", "c", "b", "g"),
    ]
