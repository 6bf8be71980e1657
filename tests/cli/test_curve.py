"""The learning curve: nested parts, one table, one plot."""

from __future__ import annotations

import pytest

from exemplars.audit.learning_curve import CurvePoint, check_shares, draw_curve, limit_train_rows
from exemplars.cli.curve import format_curve
from exemplars.core.errors import UserError

POINTS = [
    CurvePoint(share=0.1, exemplars=96, tokens=7000, test_rows=150, value=0.1, low=0.05, high=0.15),
    CurvePoint(share=1.0, exemplars=956, tokens=69725, test_rows=150, value=0.385, low=0.32, high=0.469),
]


def test_shares_are_sorted_and_not_repeated() -> None:
    assert check_shares([1, 0.5, 0.1, 0.5]) == [0.1, 0.5, 1]


def test_a_share_out_of_bounds_is_an_error() -> None:
    with pytest.raises(
        UserError,
        match=r"--shares: no_curve: found 0, 1.5, expected shares above 0, up to 1; "
        r"correct them, for example: --shares 0.5 1",
    ):
        check_shares([0, 0.5, 1.5])


def test_a_point_trains_on_fewer_rows_and_evaluates_only_the_constrained_model() -> None:
    params = {
        "train": {"runs": {"lora": "training"}},
        "render": {"max_rows": {"train": None, "test": 5}, "salt": "s"},
        "evaluate": {"reference": "cascade", "compare": ["knn", "runs"]},
    }
    assert limit_train_rows(params, "lora", 96) == {
        "train": {"runs": {"lora": "training"}},
        "render": {"max_rows": {"train": 96, "test": 5}, "salt": "s"},
        "evaluate": {
            "reference": "lora_constrained",
            "compare": ["lora_constrained"],
            "text_metrics": False,
        },
    }


def test_the_table_is_aligned_and_the_plot_is_an_svg() -> None:
    assert format_curve(POINTS) == (
        " share  exemplars   tokens  exact match   interval of 95 %\n"
        "   10%         96    7,000        0.100   0.050 to 0.150\n"
        "  100%        956   69,725        0.385   0.320 to 0.469\n"
    )
    assert draw_curve(POINTS).startswith(b"<svg")
