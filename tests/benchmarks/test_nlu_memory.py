from __future__ import annotations

from pathlib import Path

import pytest
from nlu import measure_array

pytestmark = pytest.mark.benchmark


def test_100_000_examples_in_one_array_stay_below_1_gb(tmp_path: Path) -> None:
    _, megabytes = measure_array(tmp_path, 100_000)
    assert megabytes < 1000
