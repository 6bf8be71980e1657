"""The learning curve: nested parts, one table, one picture."""

from __future__ import annotations

import pytest

from exemplars.cli.curve import as_text, checked_shares, part_params, picture
from exemplars.core.errors import UserError

POINTS = [
    {"share": 0.1, "exemplars": 96, "tokens": 7000, "value": 0.1, "low": 0.05, "high": 0.15},
    {"share": 1.0, "exemplars": 956, "tokens": 69725, "value": 0.385, "low": 0.32, "high": 0.469},
]


def test_shares_rise_and_stand_once() -> None:
    assert checked_shares([1, 0.5, 0.1, 0.5]) == [0.1, 0.5, 1]


def test_a_share_that_is_none_is_told() -> None:
    with pytest.raises(UserError, match=r"--shares: no_curve: found 0, 1.5, expected shares above 0"):
        checked_shares([0, 0.5, 1.5])


def test_a_point_trains_on_fewer_rows_and_judges_the_reference_alone() -> None:
    params = {
        "train": {"recipe": "lora"},
        "render": {"max_rows": {"train": None, "test": 5}, "salt": "s"},
        "evaluate": {"reference": "tuned", "compare": ["base", "tuned"]},
    }
    assert part_params(params, 96) == {
        "train": {"recipe": "lora"},
        "render": {"max_rows": {"train": 96, "test": 5}, "salt": "s"},
        "evaluate": {"reference": "tuned", "compare": ["tuned"], "text_metrics": False},
    }


def test_the_table_fits_and_the_picture_holds_every_point() -> None:
    assert as_text(POINTS) == (
        " share  exemplars   tokens  exact match   interval of 95 %\n"
        "   10%         96    7,000        0.100   0.050 to 0.150\n"
        "  100%        956   69,725        0.385   0.320 to 0.469\n"
    )
    assert picture(POINTS).startswith(b"<svg")
