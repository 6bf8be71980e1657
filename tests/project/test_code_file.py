from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from exemplars.cli.main import main
from exemplars.core.code_version import (
    PIPELINE,
    check_code_version,
    check_dependency,
    check_run_dependency,
    hash_stage_code,
    list_stages,
)
from exemplars.core.errors import UserError
from exemplars.project.code_file import build_code_file, upgrade_project
from exemplars.project.pipeline import build_project_pipeline

STAGES = ("ingest", "compile", "curate", "split", "validate", "render", "train", "evaluate", "publish")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of the installed version, without data."""
    pipeline = build_project_pipeline(PIPELINE.read_text("utf-8"))
    (tmp_path / "dvc.yaml").write_text(pipeline, "utf-8")
    (tmp_path / "code.yaml").write_text(build_code_file(pipeline), "utf-8")
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")


def test_each_stage_has_a_hash_of_its_own() -> None:
    assert list_stages() == STAGES
    assert len({hash_stage_code(stage) for stage in STAGES}) == len(STAGES)


def test_the_stages_of_the_installed_version_run(project: Path) -> None:
    for stage in STAGES:
        check_code_version(stage)


def test_a_stage_whose_code_is_another_does_not_start(project: Path) -> None:
    edit(project / "code.yaml", hash_stage_code("split"), "0" * 64)
    check_code_version("compile")
    with pytest.raises(UserError, match="other code of split than this file names; run `exemplars upgrade`"):
        check_code_version("split")


def test_an_upgrade_names_the_stages_whose_code_changed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (project / "code.yaml").read_bytes()
    edit(project / "code.yaml", hash_stage_code("split"), "0" * 64)
    edit(project / "code.yaml", "version: ", "version: 0.0.9-not-")
    assert main(["upgrade"]) == 0
    assert ", other code of split\n" in capsys.readouterr().out
    assert (project / "code.yaml").read_bytes() == before
    assert main(["upgrade"]) == 0
    assert ", the same code of all stages\n" in capsys.readouterr().out


def test_a_pipeline_of_an_earlier_version_is_replaced(project: Path) -> None:
    pipeline = (project / "dvc.yaml").read_text("utf-8")
    earlier = "# with code.yaml\nstages: {}\n"
    (project / "dvc.yaml").write_text(earlier, "utf-8")
    (project / "code.yaml").write_text(build_code_file(earlier), "utf-8")
    assert upgrade_project().pipeline == Path("dvc.yaml")
    assert (project / "dvc.yaml").read_text("utf-8") == pipeline


def test_an_upgrade_adds_the_files_that_an_earlier_version_did_not_have(project: Path) -> None:
    (project / "data/raw").mkdir(parents=True)
    (project / "data/raw/reviews.jsonl").write_bytes(b"{}\n")
    upgrade_project()
    assert (project / "data/raw/preferences.jsonl").read_bytes() == b"\n"
    assert (project / "data/raw/reviews.jsonl").read_bytes() == b"{}\n"


def test_a_pipeline_that_was_edited_stays(project: Path) -> None:
    edited = "# mine, with code.yaml\nstages: {}\n"
    (project / "dvc.yaml").write_text(edited, "utf-8")
    assert upgrade_project().pipeline is None
    (project / "code.yaml").write_text(build_code_file("stages: {}\n"), "utf-8")
    assert upgrade_project().pipeline == Path("dvc.yaml.new")
    assert (project / "dvc.yaml").read_text("utf-8") == edited
    assert yaml.safe_load((project / "dvc.yaml.new").read_text("utf-8"))["stages"]


def test_a_lost_code_file_is_written_again(project: Path) -> None:
    before = (project / "code.yaml").read_bytes()
    (project / "code.yaml").unlink()
    upgrade_project()
    assert (project / "code.yaml").read_bytes() == before


def test_a_repository_whose_code_is_files_is_not_upgraded(project: Path) -> None:
    (project / "dvc.yaml").write_bytes(PIPELINE.read_bytes())
    with pytest.raises(UserError, match="no_code_file: its stages depend on code as files"):
        upgrade_project()


@pytest.mark.parametrize(
    ("stage", "path", "is_named"),
    [
        ("compile", "schemas/recognizers.json", True),
        ("curate", "schemas/lexicons", True),
        ("curate", "words", False),
        ("train", "data/raw/text", False),
    ],
)
def test_a_path_of_the_parameters_that_dvc_yaml_does_not_name_is_refused(
    project: Path, stage: str, path: str, is_named: bool
) -> None:
    if is_named:
        check_dependency(stage, path)
        return
    with pytest.raises(UserError, match=f"{stage} reads {path}, which is not among its dependencies; add"):
        check_dependency(stage, path)
    end, indent = (' "$DVC_STAGE"', "      ") if stage == "train" else ("", "    ")
    command = f"python -m stages.{stage}{end}\n{indent}deps:\n"
    edit(project / "dvc.yaml", command, f"{command}{indent}  - {path}\n")
    check_dependency(stage, path)


@pytest.mark.parametrize("has_code_file", [True, False])
def test_a_run_that_a_stage_reads_has_to_be_named_in_every_project(
    project: Path, has_code_file: bool
) -> None:
    if not has_code_file:
        (project / "code.yaml").unlink()
    with pytest.raises(
        UserError, match=r"render reads models/tagger, .*add `- models/tagger` to stages\.render\.deps"
    ):
        check_run_dependency("render", "models/tagger")
    command = "python -m stages.render\n    deps:\n"
    edit(project / "dvc.yaml", command, f"{command}      - models/tagger\n")
    check_run_dependency("render", "models/tagger")


@pytest.mark.parametrize("text", ["", "[", "code: 5\n", "version: 1\n"])
def test_a_damaged_code_file_is_one_sentence(project: Path, text: str) -> None:
    (project / "code.yaml").write_text(text, "utf-8")
    with pytest.raises(UserError, match=r"code\.yaml: bad_code_file: it has no hashes of code; run"):
        check_code_version("split")
