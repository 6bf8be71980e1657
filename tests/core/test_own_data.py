"""No test depends on the data of this project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import PROJECT


@pytest.mark.parametrize("name", ["data/raw/erasures.jsonl", "dvc.lock", "reports/compile.json"])
def test_a_test_that_opens_data_of_this_project_fails(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match=r"which a fork may change; use tests/sample"):
        (PROJECT / name).read_bytes()
    monkeypatch.chdir(PROJECT)
    with pytest.raises(AssertionError, match=r"which a fork may change"):
        os.open(name, os.O_RDONLY)


def test_code_and_the_sample_may_be_read() -> None:
    assert Path(PROJECT / "tests/sample/data/raw/skills/call.md").read_text("utf-8").startswith("####")
