from __future__ import annotations

from pathlib import Path

import pytest

from exemplars.core.files import replace_file, write_bytes, write_json


def test_an_error_in_the_middle_of_a_write_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    write_bytes(path, b"old")
    with pytest.raises(OSError, match="No space left"), replace_file(path) as partial:
        partial.write_bytes(b"half of the ne")
        raise OSError(28, "No space left on device")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["out.json"]


def test_json_is_indented_and_ends_with_a_newline(tmp_path: Path) -> None:
    write_json(tmp_path / "a" / "b.json", {"b": 1, "a": [2]})
    assert (tmp_path / "a" / "b.json").read_text() == '{\n  "b": 1,\n  "a": [\n    2\n  ]\n}\n'
