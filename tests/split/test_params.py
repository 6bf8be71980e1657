from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stages.split.params import Ratios, SplitParams


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (
            {"ratios": {"train": 1.1, "validation": 0, "test": -0.1}},
            r"`float` <= 1\.0 - at `\$\.ratios\.train`",
        ),
        (
            {"ratios": {"train": 1, "validation": 0.1, "test": -0.1}},
            r"`float` >= 0\.0 - at `\$\.ratios\.test`",
        ),
        ({"leaks": {"context_turns": -1}}, r"`int` >= 0 - at `\$\.leaks\.context_turns`"),
        ({"speech": ["dev"]}, r"Invalid enum value 'dev' - at `\$\.speech\[0\]`"),
    ],
)
def test_a_value_out_of_bounds_is_rejected(section: dict[str, Any], message: str) -> None:
    defaults = {"ratios": {"train": 0.8, "validation": 0.1, "test": 0.1}, "salt": "s", "official": "keep"}
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert({**defaults, **section}, SplitParams)


def test_shares_that_do_not_sum_to_one_are_rejected() -> None:
    with pytest.raises(ValueError, match=r"^Expected shares that sum to 1, got a sum of 0\.9$"):
        Ratios(train=0.7, validation=0.1, test=0.1)
