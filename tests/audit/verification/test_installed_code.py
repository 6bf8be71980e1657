"""A project whose code is an installed package: `verify` follows the hashes in `code.yaml`."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from exemplars.audit.revisions import Revision, Stage
from exemplars.audit.verification.commits import check_code
from exemplars.audit.verification.parameters import check_params, read_code_hashes
from exemplars.audit.verification.recomputation import Recompute, check_recomputation
from exemplars.core.code_version import get_version, hash_stage_code
from exemplars.core.errors import UserError


def make_stage(name: str, code: str) -> Stage:
    return Stage(name, f"python -m stages.{name}", (), {f"code.{name}": code}, ())


def write_code(root: Path, **hashes: str) -> Revision:
    (root / "code.yaml").write_text(yaml.safe_dump({"version": "1", "code": hashes}), "utf-8")
    return Revision(root, "workspace", None)


def test_the_hashes_are_read_if_there_are_any(tmp_path: Path) -> None:
    assert read_code_hashes(Revision(tmp_path, "workspace", None)) == {}
    assert read_code_hashes(write_code(tmp_path, split="a")) == {"code": {"split": "a"}}
    (tmp_path / "code.yaml").write_text("[", "utf-8")
    with pytest.raises(UserError, match="unreadable_file: found no YAML"):
        read_code_hashes(Revision(tmp_path, "workspace", None))


def test_other_code_than_a_stage_ran_with_is_a_problem_of_code_yaml(tmp_path: Path) -> None:
    params = read_code_hashes(write_code(tmp_path, split="b"))
    assert [str(problem) for problem in check_params([make_stage("split", "a")], params).problems] == [
        "code.yaml: code.split: changed_param: found 'b', expected 'a', as when split ran; "
        "revert it, or run `dvc repro`"
    ]


@pytest.mark.parametrize(
    ("code", "note"),
    [
        (None, "the code of all stages is that of the installed exemplars {}"),
        ("a", "exemplars {} is installed, with other code of split"),
    ],
)
def test_a_note_says_whether_the_installed_code_is_the_one_of_code_yaml(
    tmp_path: Path, code: str | None, note: str
) -> None:
    params = {"code": {"split": code or hash_stage_code("split")}}
    check = check_code(Revision(tmp_path, "v1", "0" * 40), [], [], tmp_path, params)
    assert check.notes == (note.format(get_version()),)
    assert check_code(Revision(tmp_path, "v1", "0" * 40), [], [], tmp_path, {}).notes == ()


def test_a_stage_that_ran_with_other_code_is_not_recomputed(tmp_path: Path) -> None:
    revision = write_code(tmp_path, split="a")
    (tmp_path / "params.yaml").write_text("split: {}\n", "utf-8")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n", "utf-8")
    check = check_recomputation(revision, [make_stage("split", "a")], tmp_path, (), (), Recompute.FAST)
    assert "not recomputed: split: it ran with other code than is installed" in check.notes
