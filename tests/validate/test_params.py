from __future__ import annotations

import msgspec
import pytest
import yaml

from stages.validate.params import ValidateParams
from tests.conftest import SAMPLE

PARAMS = SAMPLE / "params.yaml"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("min_exemplars", -1, r"`int` >= 0 - at `\$\.min_exemplars`"),
        ("max_rejection_rate", 1.5, r"`float` <= 1\.0 - at `\$\.max_rejection_rate`"),
        ("max_utterance_length", 0, r"`int` >= 1 - at `\$\.max_utterance_length`"),
        ("min_skill_entropy", -0.1, r"`float` >= 0\.0 - at `\$\.min_skill_entropy`"),
    ],
)
def test_a_value_out_of_bounds_is_rejected(name: str, value: float, message: str) -> None:
    section = yaml.safe_load(PARAMS.read_bytes())["validate"]
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert({**section, name: value}, ValidateParams)
