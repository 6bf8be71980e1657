"""Checks on small values; `tests/cli/test_verify.py` checks the whole chain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exemplars.audit.revisions import Stage
from exemplars.audit.verification.checks import Check
from exemplars.audit.verification.conservation import find_unconserved_rows
from exemplars.audit.verification.differences import find_differences
from exemplars.audit.verification.hashes import hash_dir_manifest, list_files, parse_dvcignore
from exemplars.audit.verification.parameters import check_params
from exemplars.audit.verification.pipeline import resolve_stages
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


def test_the_stages_of_dvc_yaml_are_resolved_from_the_parameters() -> None:
    pipeline = {
        "stages": {
            "ingest": {
                "foreach": "${ingest.sources}",
                "do": {"cmd": 'ingest "$DVC_STAGE"', "deps": ["${item.path}"], "params": ["s.${key}"]},
            },
            "b": {"foreach": ["x", 1], "do": {"cmd": "b ${item}"}},
            "c": {
                "cmd": "c ${ train.recipe } ${unknown}",
                "outs": [{"models/${train.recipe}": {"cache": False}}],
            },
        }
    }
    params = {"ingest": {"sources": {"sgd": {"path": "data/raw/sgd"}}}, "train": {"recipe": "lora"}}
    assert resolve_stages(pipeline, params) == {
        "ingest@sgd": {"cmd": 'ingest "$DVC_STAGE"', "deps": ["data/raw/sgd"], "params": ["s.sgd"]},
        "b@x": {"cmd": "b x"},
        "b@1": {"cmd": "b 1"},
        "c": {"cmd": "c lora ${unknown}", "outs": [{"models/lora": {"cache": False}}]},
    }


def write_json_pair(folder: Path, recorded: object, recomputed: object) -> list[tuple[str, str, str]]:
    paths = [folder / "recorded.json", folder / "recomputed.json"]
    for path, document in zip(paths, (recorded, recomputed), strict=True):
        path.write_text(json.dumps(document))
    found = find_differences("reports/split.json", paths[0], paths[1], "split")
    return [(problem.path, problem.found, problem.expected) for problem in found]


def test_differences_of_documents_name_the_innermost_keys(tmp_path: Path) -> None:
    recorded = {"rows": {"train": 1, "test": 2}, "skills": ["a", "b"], "extra": None, "ok": True}
    recomputed = {"rows": {"train": 3, "test": 2}, "skills": ["a", "c", "d"], "ok": 1}
    assert write_json_pair(tmp_path, recorded, recomputed) == [
        ("reports/split.json: rows.train", "1", "3, recomputed by split"),
        ("reports/split.json: skills[1]", "'b'", "'c', recomputed by split"),
        ("reports/split.json: skills[2]", "no such key", "'d', recomputed by split"),
        ("reports/split.json: ok", "True", "1, recomputed by split"),
        ("reports/split.json: extra", "None", "no such key, recomputed by split"),
    ]


def test_a_document_that_is_only_written_in_another_way_does_not_differ(tmp_path: Path) -> None:
    assert write_json_pair(tmp_path, {"a": 1, "b": 2}, {"b": 2, "a": 1}) == []


def test_checks_are_formatted_as_aligned_lines() -> None:
    checks = [Check("files", "2 files", (), ("one note",)), Check("rows", "3 rows")]
    assert format_checks("HEAD", checks).splitlines() == [
        "verifying HEAD against its dvc.lock",
        "  files        2 files                                                ok",
        "               (one note)",
        "  rows         3 rows                                                 ok",
        "no problems",
    ]
