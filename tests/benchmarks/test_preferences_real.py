from __future__ import annotations

import json
from pathlib import Path

import pytest
from real_archive import MISSING, find_archive, unpack_archive

from exemplars.preferences.conversion import convert_file

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(find_archive() is None, reason=MISSING),
]


@pytest.mark.parametrize(("name", "pairs", "labels", "left_out"), [("dpo", 295, 0, 5), ("kto", 0, 300, 0)])
def test_every_item_of_public_files_is_a_preference_or_repeats_one(
    tmp_path: Path, name: str, pairs: int, labels: int, left_out: int
) -> None:
    path = unpack_archive(tmp_path) / "preference" / f"{name}_en_demo.json"
    conversion = convert_file(path.name, path.read_bytes(), "Apache-2.0")
    both = [pair for pair in conversion.pairs if pair.chosen is not None and pair.rejected is not None]
    assert (len(both), len(conversion.pairs) - len(both)) == (pairs, labels)
    assert [item.reason for item in conversion.left_out] == ["duplicate_record"] * left_out
    assert len(conversion.pairs) + len(conversion.left_out) == len(json.loads(path.read_bytes())) == 300
