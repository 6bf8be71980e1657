from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml

from stages.curate.params import CurateParams
from tests.conftest import SAMPLE


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("duplicates", "similarity", 0.4, "Expected `float` >= 0.5"),
        ("duplicates", "semantic_similarity", 1.1, "Expected `float` <= 1.0"),
        ("duplicates", "max_group_rows", 0, "Expected `int` >= 1"),
        ("conflicts", "context_turns", -1, "Expected `int` >= 0"),
        ("label_noise", "folds", 1, "Expected `int` >= 2"),
        ("quality", "max_repetition", 1.5, "Expected `float` <= 1.0"),
        ("privacy", "min_score", -0.1, "Expected `float` >= 0.0"),
    ],
)
def test_a_value_out_of_bounds_is_rejected(section: str, key: str, value: Any, message: str) -> None:
    params = yaml.safe_load((SAMPLE / "params.yaml").read_text("utf-8"))["curate"]
    params[section][key] = value
    with pytest.raises(msgspec.ValidationError, match=rf"{message} - at `\$\.{section}\.{key}`"):
        msgspec.convert(params, CurateParams)
