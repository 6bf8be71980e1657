from __future__ import annotations

import pytest
from scipy.stats import chi2_contingency

from stages.curate.associations import measure_associations
from stages.curate.slices import count_slices
from tests.curate.rows import LEXICONS, make_row


def test_a_mention_that_depends_on_the_skill_is_found() -> None:
    rows = [make_row(f"a{number}", "call her", "call") for number in range(30)] + [
        make_row(f"b{number}", "play his", "play") for number in range(30)
    ]
    gender, place, age = measure_associations(count_slices(rows, LEXICONS).mentions)
    assert (gender.dimension, gender.rows, gender.effect > 0.9, gender.p_value < 0.001) == (
        "gender",
        60,
        True,
        True,
    )
    assert (place.effect, place.p_value, age.effect, age.p_value) == (0.0, 1.0, 0.0, 1.0)


def test_a_mention_that_depends_on_no_skill_is_not_found() -> None:
    rows = [
        make_row(f"{number}", "call her" if number % 2 else "call him", "call" if number % 4 < 2 else "play")
        for number in range(80)
    ]
    assert measure_associations(count_slices(rows, LEXICONS).mentions)[0].effect == 0.0


def test_the_p_value_is_that_of_the_chi_squared_test() -> None:
    counts = [[9, 4, 2], [3, 7, 1]]
    mentions = {
        ("gender", gender, skill): count
        for gender, row in zip(("female", "male"), counts, strict=True)
        for skill, count in zip(("call", "play", "ring"), row, strict=True)
    }
    [gender, *_] = measure_associations(mentions)
    # Holm: the smallest of three p-values is tripled.
    expected = 3 * chi2_contingency(counts, correction=False).pvalue
    assert gender.p_value == pytest.approx(expected, abs=1e-6)
