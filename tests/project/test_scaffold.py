from __future__ import annotations

import datetime
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from exemplars.cli.sections import load_section_types
from exemplars.core.errors import UserError
from exemplars.core.params import check_sections
from exemplars.project.example_sources import BUILDERS
from exemplars.project.scaffold import build_project, init_git, write_project
from tests.conftest import PROJECT, Workspace

TODAY = datetime.date(2026, 11, 27)
SKILLS = ["book_room", "room_service"]


def test_a_project_has_these_files_and_params_yaml_is_short(tmp_path: Path) -> None:
    files = build_project("hotel", SKILLS, "skills", TODAY)
    assert sorted(files) == [
        ".dvc/.gitignore",
        ".dvc/config",
        ".dvc/plots/bars.json",
        ".dvc/plots/bins.json",
        ".dvc/plots/intervals.json",
        ".dvc/plots/matrix.json",
        ".dvc/plots/page.html",
        ".dvcignore",
        ".github/workflows/ci.yml",
        ".gitignore",
        "README.md",
        "code.yaml",
        "data/raw/against/README.md",
        "data/raw/erasures.jsonl",
        "data/raw/hotel/book_room.md",
        "data/raw/hotel/room_service.md",
        "data/raw/preferences.jsonl",
        "data/raw/reviews.jsonl",
        "dvc.yaml",
        "params.yaml",
        "schemas/README.md",
    ]
    assert len(files["params.yaml"].splitlines()) <= 20
    own = (PROJECT / ".dvc").rglob("*")
    names = [path.relative_to(PROJECT).as_posix() for path in own if path.parent.name == "plots"]
    assert {name: files[name] for name in names} == {name: (PROJECT / name).read_bytes() for name in names}
    assert files[".dvc/config"] == (PROJECT / ".dvc/config").read_bytes()
    assert yaml.safe_load(files[".github/workflows/ci.yml"])["jobs"]


def test_git_ignores_what_dvc_keeps_and_nothing_else_that_a_run_makes(tmp_path: Path) -> None:
    write_project(tmp_path, build_project("hotel", SKILLS, "skills", TODAY))
    assert init_git(tmp_path)
    cached = {}
    for stage in yaml.safe_load((tmp_path / "dvc.yaml").read_bytes())["stages"].values():
        stage = stage.get("do", stage)
        for output in (*stage["outs"], *stage.get("metrics", ())):
            [(path, options)] = output.items() if isinstance(output, dict) else [(output, {})]
            path = re.sub(r"\$\{.*?\}", "name", path)
            cached[path] = options.get("cache", True)
    ignored = subprocess.run(
        ["git", "check-ignore", "--no-index", *cached], cwd=tmp_path, capture_output=True, text=True
    ).stdout.split()
    assert sorted(ignored) == sorted(path for path, is_cached in cached.items() if is_cached)
    assert {"data/records/name.parquet", "reports/data_docs", "models/name/weights"} <= set(ignored)
    assert "data/splits/manifest.json" not in ignored


@pytest.mark.parametrize("form", BUILDERS)
def test_the_first_source_of_each_format_compiles_without_a_rejection(
    form: str, workspace: Workspace
) -> None:
    shutil.rmtree(workspace.root / "schemas")
    files = build_project("hotel", SKILLS, form, TODAY)
    assert write_project(workspace.root, files) == []
    check_sections(load_section_types(), workspace.root / "params.yaml")
    for command in (("stages.ingest", "hotel"), ("stages.compile",)):
        done = workspace.run(*command)
        assert done.returncode == 0, done.stderr
    assert ", 0 rejected" in done.stdout
    assert not done.stdout.startswith("compile: 0 ")


def test_a_new_folder_appears_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, bytes] = {"a": b"1", "b/c": b"2"}
    assert write_project(tmp_path / "new", files) == []
    assert (tmp_path / "new/b/c").read_bytes() == b"2"

    def fail(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("exemplars.project.scaffold.write_bytes", fail)
    with pytest.raises(OSError, match="No space"):
        write_project(tmp_path / "other", files)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_what_a_folder_has_is_kept_and_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / ".dvc").mkdir()
    files = {"README.md": b"theirs", "dvc.yaml": b"{}", ".dvc/config": b""}
    assert write_project(tmp_path, files) == ["README.md", ".dvc/config"]
    assert (tmp_path / "README.md").read_text() == "mine"
    with pytest.raises(
        UserError, match=r"folder_in_use: found dvc\.yaml there already, expected a new project"
    ):
        write_project(tmp_path, {**files, "params.yaml": b""})
    assert not (tmp_path / "params.yaml").exists()


@pytest.mark.parametrize(
    ("name", "skills", "message"),
    [
        ("Hotel Data", ["book"], "found the name 'Hotel Data', expected at most 100 of the characters a-z"),
        ("hotel", ["book a room"], "found the skill 'book a room', expected a name of a function"),
        ("hotel", ["../x"], "found the skill '../x', expected a name of a function"),
        ("hotel", [""], "found the skill '', expected a name of a function"),
        ("hotel", ["book", "Book"], "found 'Book' twice, expected each skill once; choose another name"),
    ],
)
def test_a_name_that_cannot_be_used_is_one_sentence(name: str, skills: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        build_project(name, skills, "skills", TODAY)


def test_a_folder_in_no_repository_becomes_one(tmp_path: Path) -> None:
    assert init_git(tmp_path)
    (tmp_path / "inner").mkdir()
    assert init_git(tmp_path / "inner")
    assert (tmp_path / ".git").is_dir() and not (tmp_path / "inner/.git").exists()
    assert subprocess.run(["git", "status"], cwd=tmp_path, capture_output=True, check=False).returncode == 0
