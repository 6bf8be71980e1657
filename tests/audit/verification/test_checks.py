"""The links of the chain on values of a few words; `tests/cli/test_verify.py` has the whole chain."""

from __future__ import annotations

from pathlib import Path

import pytest

from exemplars.audit.revisions import Stage
from exemplars.audit.verification.checks import Check
from exemplars.audit.verification.conservation import lost_rows
from exemplars.audit.verification.hashes import files_below, ignored, listing_md5
from exemplars.audit.verification.parameters import check_params, stage_names
from exemplars.audit.verification.splits import torn_groups
from exemplars.cli.verify import as_text


def test_rows_that_are_lost_doubled_or_from_nowhere_are_told_apart() -> None:
    told = [
        (one.path, one.code, one.found)
        for one in lost_rows(
            "compile", ["a", "b", "c", "c"], {"kept": ["a", "x"], "rejected": ["c", "c", "c"]}
        )
    ]
    assert told == [
        ("stage compile", "lost_rows", "1 of 4 rows in neither: b"),
        ("kept", "unknown_rows", "1 rows that did not come in: x"),
        ("rejected", "doubled_rows", "1 rows kept or rejected more than once: c"),
    ]


def test_a_group_in_two_splits_is_named() -> None:
    told = [
        (one.path, one.found)
        for one in torn_groups({"train": {"a", "b"}, "validation": {"c"}, "test": {"b"}})
    ]
    assert told == [("data/splits/test.parquet", "1 groups that train has too: b")]


def test_folders_are_hashed_as_dvc_does(tmp_path: Path) -> None:
    for name in ("a/b.py", "a/__pycache__/b.pyc", "a/c/d.txt", "a/x.partial"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert files_below(tmp_path, "a", ignored("# some\n__pycache__\n*.partial\n")) == ["b.py", "c/d.txt"]
    # Made by `dvc add` of a folder with a file `b.py` that holds `1`.
    assert listing_md5({"b.py": "c4ca4238a0b923820dcc509a6f75849b"}) == "15fb0e3f8ddd3a5b843231f595ecd491.dir"


@pytest.mark.parametrize(
    ("then", "now", "same"),
    [
        ("5e-05", 5.0e-5, True),
        (1, True, False),
        ("a", 1, False),
        ([1, "x"], [1, "x"], True),
        (None, 0, False),
    ],
)
def test_values_are_compared_as_yaml_means_them(then: object, now: object, same: bool) -> None:
    stage = Stage("train", "", (), {"train.x": then}, ())
    assert bool(check_params([stage], {"train": {"x": now}}).problems) is not same


def test_instances_of_a_foreach_are_stages() -> None:
    pipeline = {
        "stages": {"ingest": {"foreach": "${ingest.sources}"}, "b": {"foreach": ["x", 1]}, "c": {"cmd": ""}}
    }
    params = {"ingest": {"sources": {"sgd": {}, "bots": {}}}}
    assert stage_names(pipeline, params) == {"ingest@sgd", "ingest@bots", "b@x", "b@1", "c"}


def test_text_counts_problems_by_check() -> None:
    checks = [Check("files", "2 files", (), ("one note",)), Check("rows", "3 rows")]
    assert as_text("HEAD", checks).splitlines() == [
        "the chain of HEAD, against its dvc.lock",
        "  files    2 files                                                    ok",
        "           (one note)",
        "  rows     3 rows                                                     ok",
        "all well",
    ]
