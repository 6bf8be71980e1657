from __future__ import annotations

from pathlib import Path

import pytest
from accounting import compile_dialogues, count_outcomes
from sgd_archive import find_archive, unpack_archive

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(find_archive() is None, reason="needs the SGD archive (see docs/sgd.md)"),
]


def test_every_user_turn_is_accounted_for_and_informing_frames_become_exemplars(tmp_path: Path) -> None:
    sgd = unpack_archive(tmp_path / "raw")
    found = count_outcomes(sgd, compile_dialogues(tmp_path / "project", sgd))
    assert (found.user_turns, found.user_frames, found.rows) == (103_738, 109_606, 109_606)
    assert found.turns_without_row == 0
    assert found.informing_share >= 0.97, found
    assert found.changes.lost == 0
    assert sum(found.changes) == 82_077
