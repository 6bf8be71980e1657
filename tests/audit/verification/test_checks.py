"""Checks on small values; `tests/cli/test_verify.py` checks the whole chain."""

from __future__ import annotations

from pathlib import Path

import pytest

from exemplars.audit.revisions import Stage
from exemplars.audit.verification.checks import Check
from exemplars.audit.verification.conservation import find_unconserved_rows
from exemplars.audit.verification.hashes import hash_dir_manifest, list_files, parse_dvcignore
from exemplars.audit.verification.parameters import check_params, list_stage_names
from exemplars.audit.verification.splits import find_divided_groups
from exemplars.cli.verify import format_checks


def test_lost_invented_and_repeated_rows_are_distinguished() -> None:
    problems = [
        (problem.path, problem.code, problem.found)
        for problem in find_unconserved_rows(
            "compile", ["a", "b", "c", "c"], {"kept": ["a", "x"], "rejected": ["c", "c", "c"]}
        )
    ]
    assert problems == [
        ("stage compile", "lost_rows", "1 of 4 rows missing: b"),
        ("kept", "unknown_rows", "1 row(s) that compile did not read: x"),
        ("rejected", "doubled_rows", "1 row(s) kept or rejected more than once: c"),
    ]


def test_a_group_in_two_splits_is_named() -> None:
    problems = [
        (problem.path, problem.found)
        for problem in find_divided_groups({"train": {"a", "b"}, "validation": {"c"}, "test": {"b"}})
    ]
    assert problems == [("data/splits/test.parquet", "1 group(s) that are in train too: b")]


def test_folders_are_hashed_as_dvc_hashes_them(tmp_path: Path) -> None:
    for name in ("a/b.py", "a/__pycache__/b.pyc", "a/c/d.txt", "a/x.partial"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert list_files(tmp_path, "a", parse_dvcignore("# some\n__pycache__\n*.partial\n")) == [
        "b.py",
        "c/d.txt",
    ]
    # Made by `dvc add` of a folder with a file `b.py` that holds `1`.
    assert (
        hash_dir_manifest({"b.py": "c4ca4238a0b923820dcc509a6f75849b"})
        == "15fb0e3f8ddd3a5b843231f595ecd491.dir"
    )


@pytest.mark.parametrize(
    ("recorded", "current", "same"),
    [
        ("5e-05", 5.0e-5, True),
        (1, True, False),
        ("a", 1, False),
        ([1, "x"], [1, "x"], True),
        (None, 0, False),
    ],
)
def test_values_are_compared_as_yaml_reads_them(recorded: object, current: object, same: bool) -> None:
    stage = Stage("train", "", (), {"train.x": recorded}, ())
    assert bool(check_params([stage], {"train": {"x": current}}).problems) is not same


def test_instances_of_a_foreach_are_stages() -> None:
    pipeline = {
        "stages": {"ingest": {"foreach": "${ingest.sources}"}, "b": {"foreach": ["x", 1]}, "c": {"cmd": ""}}
    }
    params = {"ingest": {"sources": {"sgd": {}, "bots": {}}}}
    assert list_stage_names(pipeline, params) == {"ingest@sgd", "ingest@bots", "b@x", "b@1", "c"}


def test_checks_are_formatted_as_aligned_lines() -> None:
    checks = [Check("files", "2 files", (), ("one note",)), Check("rows", "3 rows")]
    assert format_checks("HEAD", checks).splitlines() == [
        "verifying HEAD against its dvc.lock",
        "  files        2 files                                                ok",
        "               (one note)",
        "  rows         3 rows                                                 ok",
        "no problems",
    ]
