from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml

from stages.render.params import RenderParams
from tests.conftest import SAMPLE

PARAMS = SAMPLE / "params.yaml"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("max_rows", {"test": 0}, r"`int` >= 1 - at `\$\.max_rows\.test`"),
        ("views", [], r"`array` of length >= 1 - at `\$\.views`"),
        ("without_tool", 1.5, r"`float` <= 1\.0 - at `\$\.without_tool`"),
        ("max_none_share", -0.5, r"`float` >= 0\.0 - at `\$\.max_none_share`"),
        ("context_turns", -1, r"`int` >= 0 - at `\$\.context_turns`"),
        ("distractors", -1, r"`int` >= 0 - at `\$\.distractors`"),
        ("rows_a_list", 0, r"`int` >= 1 - at `\$\.rows_a_list`"),
        ("max_tokens", 0, r"`int` >= 1 - at `\$\.max_tokens`"),
    ],
)
def test_a_value_out_of_bounds_is_rejected(name: str, value: Any, message: str) -> None:
    section = yaml.safe_load(PARAMS.read_bytes())["render"]
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert({**section, name: value}, RenderParams)
