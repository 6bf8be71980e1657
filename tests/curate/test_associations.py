from __future__ import annotations

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
