from __future__ import annotations

from pathlib import Path

import pytest
from accounting import accounts, compiled
from sgd_archive import archive, unpack

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(archive() is None, reason="needs the SGD archive (see docs/sgd.md)"),
]


def test_every_user_turn_is_accounted_for_and_informing_frames_become_exemplars(tmp_path: Path) -> None:
    sgd = unpack(tmp_path / "raw")
    found = accounts(sgd, compiled(tmp_path / "project", sgd))
    assert (found.user_turns, found.user_frames, found.rows) == (103_738, 109_606, 109_606)
    assert found.turns_without_row == 0
    assert found.informing_share >= 0.97, found
