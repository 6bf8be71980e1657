"""Rows and preferences against the raw files that they came from."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pyarrow as pa

from exemplars.audit.verification.origins import check_origins


def make_table(source: str, path: str, content: bytes) -> pa.Table:
    origin = {"path": path, "sha256": sha256(content).hexdigest(), "locator": "1"}
    return pa.Table.from_pylist([{"source": source, "origin": origin}])


def test_preferences_are_traced_to_their_file_whoever_made_them(tmp_path: Path) -> None:
    (tmp_path / "data/raw/skills").mkdir(parents=True)
    (tmp_path / "data/raw/skills/call.md").write_bytes(b"a skill")
    (tmp_path / "data/raw/preferences.jsonl").write_bytes(b"a pair")
    tables = {
        Path("data/splits/train.parquet"): make_table("skills", "call.md", b"a skill"),
        Path("data/preferences/train.parquet"): make_table("written", "preferences.jsonl", b"a pair"),
    }
    check = check_origins(tables, {"skills": "data/raw/skills"}, tmp_path)
    assert (check.problems, check.counted) == ((), "2 rows traced to 2 raw files by SHA-256")


def test_a_changed_file_of_preferences_is_named(tmp_path: Path) -> None:
    (tmp_path / "data/raw").mkdir(parents=True)
    (tmp_path / "data/raw/preferences.jsonl").write_bytes(b"another pair")
    tables = {Path("data/preferences/train.parquet"): make_table("written", "preferences.jsonl", b"a pair")}
    [problem] = check_origins(tables, {}, tmp_path).problems
    assert (problem.path, problem.code) == ("data/raw/preferences.jsonl", "changed_source")
