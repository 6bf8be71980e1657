"""Everything that reads a text takes time in proportion to it, on texts of up to 100,000 code points.

`python tests/benchmarks/scanners.py` measures up to 1 MB.
"""

from __future__ import annotations

import pytest
from scanners import MAX_SECONDS, build_scanners, measure

pytestmark = pytest.mark.benchmark


@pytest.mark.parametrize("name", list(build_scanners()))
def test_a_text_of_fifty_times_the_length_takes_about_fifty_times_as_long(name: str) -> None:
    measurements = measure(100_000, name)
    assert len(measurements) == 3
    assert [measurement for measurement in measurements if not measurement.is_linear] == []
    assert max(measurement.seconds for measurement in measurements) < MAX_SECONDS / 5
