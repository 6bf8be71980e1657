"""The manifest of rendered rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from exemplars.core.errors import UserError
from exemplars.models.render_manifest import read_render_manifest


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "no such file"),
        (b"{}", "missing required field `base`"),
        (b'{"name": "\xb0"}', "invalid start byte"),
    ],
)
def test_a_missing_or_damaged_manifest_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, found: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "data/training").mkdir(parents=True)
        (tmp_path / "data/training/base.json").write_bytes(content)
    with pytest.raises(
        UserError, match=f"base.json: not_rendered: found .*{found}.*; run `dvc repro render`"
    ):
        read_render_manifest()
