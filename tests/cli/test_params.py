from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from exemplars.cli.main import main

PARAMS = """\
ingest: {sources: {mine: {format: skills, path: data/raw/mine, license: MIT}}}
publish: {name: hotel, title: Hotel, released: "2026-11-01"}
split: {salt: other}
"""


def test_the_values_of_a_project_and_all_defaults_are_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS, "utf-8")
    assert main(["params"]) == 0
    text = capsys.readouterr().out
    document = yaml.safe_load(text)
    assert (document["split"]["salt"], document["split"]["official"]) == ("other", "keep")
    assert "# Seeds the choice of splits: another text gives different splits.\n  salt: other\n" in text
    Path("params.yaml").write_text(text, "utf-8")
    assert main(["params"]) == 0
    assert capsys.readouterr().out == text


def test_the_defaults_are_printed_where_there_is_no_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["params", "--section", "split", "--format", "json"]) == 0
    entries = {entry["key"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert entries["split.salt"] == {
        "key": "split.salt",
        "value": "exemplars-1",
        "comment": "Seeds the choice of splits: another text gives different splits.",
    }
    assert entries["split.ratios"]["value"] == {"train": 0.8, "validation": 0.1, "test": 0.1}


def test_mistakes_in_params_yaml_are_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("split: {slat: x}\n", "utf-8")
    assert main(["params", "--section", "split"]) == 1
    assert "did you mean 'salt'?" in capsys.readouterr().err
