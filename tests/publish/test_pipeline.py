from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from exemplars.core.errors import UserError
from stages.publish.pipeline import (
    HashedFile,
    StageDefinition,
    build_stage_runs,
    expand_folder_inputs,
    hash_path,
    hash_paths,
    read_stage_definitions,
)

STAGES = (
    StageDefinition(
        "ingest@a", "Reads a.", "read a", ("raw/a",), ("data/records/a.parquet", "reports/a.json")
    ),
    StageDefinition(
        "compile", "compile", "compile", ("data/records", "schemas"), ("data/exemplars.parquet",)
    ),
    StageDefinition("publish", "publish", "publish", ("raw", "data/records"), ("card.md",)),
)


def test_stages_are_read_from_dvc_yaml_with_templates_resolved_and_without_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("sources: {a: {path: raw/a}}\nlexicons: schemas/words\n")
    Path("dvc.yaml").write_text(
        "stages:\n"
        "  ingest:\n    foreach: ${sources}\n    do:\n      desc: Reads ${key}.\n      cmd: read ${key}\n"
        "      deps: ['${item.path}', stages/ingest, exemplars/core, exemplars/dataset]\n"
        "      outs: ['data/${key}.parquet': {persist: true}]\n"
        "      metrics: ['reports/${key}.json': {cache: false}]\n"
        "  compile:\n    cmd: compile\n    deps: ['${lexicons}']\n    outs: [x]\n"
    )
    assert read_stage_definitions() == (
        StageDefinition("ingest@a", "Reads a.", "read a", ("raw/a",), ("data/a.parquet", "reports/a.json")),
        StageDefinition("compile", "compile", "compile", ("schemas/words",), ("x",)),
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("stages: [", "did not find expected node content"),
        ("plots: []", "NoneType"),
        ("stages: {a: {cmd: '${b}'}}", "failed to parse"),
        ("[]", "list"),
    ],
)
def test_a_damaged_dvc_yaml_is_reported_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, found: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("{}")
    Path("dvc.yaml").write_text(text)
    with pytest.raises(UserError, match=f"unreadable_pipeline: found .*{found}"):
        read_stage_definitions()


def test_an_input_folder_is_replaced_by_what_other_stages_read_or_write_in_it() -> None:
    assert [stage.inputs for stage in expand_folder_inputs(STAGES)] == [
        ("raw/a",),
        ("data/records/a.parquet", "schemas"),
        ("raw/a", "data/records/a.parquet"),
    ]


def test_a_stage_without_an_output_has_not_run() -> None:
    files = {path: HashedFile(path, "0" * 64, 1, 1) for path in ("raw/a", "reports/a.json")}
    [stage] = build_stage_runs(STAGES, files)
    assert (stage.name, stage.inputs, stage.outputs) == (
        "ingest@a",
        (files["raw/a"],),
        (files["reports/a.json"],),
    )


def test_the_hash_of_a_folder_depends_on_the_names_and_contents_of_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("b.txt", "b"), ("a/c.txt", "c"), (".gitignore", "x"), (".a.1.partial", "y")):
        (Path("folder") / name).parent.mkdir(parents=True, exist_ok=True)
        (Path("folder") / name).write_text(text)
    lines = "".join(
        f"{name} {hashlib.sha256(text).hexdigest()}\n" for name, text in (("a/c.txt", b"c"), ("b.txt", b"b"))
    )
    expected = HashedFile("folder", hashlib.sha256(lines.encode()).hexdigest(), 2, 2)
    assert hash_path(Path("folder")) == expected
    assert hash_paths(["folder", "nowhere"]) == {"folder": expected}


def test_a_damaged_table_is_hashed_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"no table")
    file = hash_path(tmp_path / "a.parquet")
    assert (file.length, file.rows, file.columns) == (8, None, ())
