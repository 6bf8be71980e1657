from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from exemplars.core.errors import UserError
from stages.publish.pipeline import FileFacts, Step, file_facts, linked, read_files, read_steps, stages_of

STEPS = (
    Step("ingest@a", "Reads a.", "read a", ("raw/a",), ("data/records/a.parquet", "reports/a.json")),
    Step("compile", "compile", "compile", ("data/records", "schemas"), ("data/exemplars.parquet",)),
    Step("publish", "publish", "publish", ("raw", "data/records"), ("card.md",)),
)


def test_stages_are_those_of_dvc_yaml_with_its_templates_filled_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("sources: {a: {path: raw/a}}\nlexicons: schemas/words\n")
    Path("dvc.yaml").write_text(
        "stages:\n"
        "  ingest:\n    foreach: ${sources}\n    do:\n      desc: Reads ${key}.\n      cmd: read ${key}\n"
        "      deps: ['${item.path}', stages/ingest, exemplars/core/files.py]\n"
        "      outs: ['data/${key}.parquet': {persist: true}]\n"
        "      metrics: ['reports/${key}.json': {cache: false}]\n"
        "  compile:\n    cmd: compile\n    deps: ['${lexicons}']\n    outs: [x]\n"
    )
    assert read_steps() == (
        Step("ingest@a", "Reads a.", "read a", ("raw/a",), ("data/a.parquet", "reports/a.json")),
        Step("compile", "compile", "compile", ("schemas/words",), ("x",)),
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("stages: [", "while parsing"),
        ("plots: []", "NoneType"),
        ("stages: {a: {cmd: '${b}'}}", "failed to parse"),
        ("[]", "list"),
    ],
)
def test_a_damaged_dvc_yaml_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, found: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("{}")
    Path("dvc.yaml").write_text(text)
    with pytest.raises(UserError, match=f"unreadable_pipeline: found .*{found}"):
        read_steps()


def test_a_folder_that_is_read_stands_for_what_others_write_or_read_below_it() -> None:
    assert [one.inputs for one in linked(STEPS)] == [
        ("raw/a",),
        ("data/records/a.parquet", "schemas"),
        ("raw/a", "data/records/a.parquet"),
    ]


def test_a_stage_without_an_output_has_not_run() -> None:
    there = {path: FileFacts(path, "0" * 64, 1, 1) for path in ("raw/a", "reports/a.json")}
    [stage] = stages_of(STEPS, there)
    assert (stage.name, stage.inputs, stage.outputs) == (
        "ingest@a",
        (there["raw/a"],),
        (there["reports/a.json"],),
    )


def test_a_folder_is_hashed_by_the_names_and_contents_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("b.txt", "b"), ("a/c.txt", "c"), (".gitignore", "x"), (".a.1.partial", "y")):
        (Path("folder") / name).parent.mkdir(parents=True, exist_ok=True)
        (Path("folder") / name).write_text(text)
    lines = "".join(
        f"{name} {hashlib.sha256(text).hexdigest()}\n" for name, text in (("a/c.txt", b"c"), ("b.txt", b"b"))
    )
    expected = FileFacts("folder", hashlib.sha256(lines.encode()).hexdigest(), 2, 2)
    assert file_facts(Path("folder")) == expected
    assert read_files(["folder", "nowhere"]) == {"folder": expected}


def test_what_only_looks_like_a_table_is_hashed_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"no table")
    one = file_facts(tmp_path / "a.parquet")
    assert (one.length, one.rows, one.columns) == (8, None, ())
