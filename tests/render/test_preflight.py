"""Runs that prompts need are looked for before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from exemplars.core.preflight import read_project
from stages.render.preflight import check_params

PARAMS = """\
ingest: {sources: {mine: {format: jsonl, path: raw, license: MIT}}}
render:
  tools_from: retriever
  candidates: tagger
train:
  runs: {tagger: splits, lora: training}
  recipes: {tagger: {method: tagger%s}}
publish: {name: mine, title: Mine, released: "2026-01-01"}
"""


@pytest.mark.parametrize(
    ("folds", "found"),
    [
        (
            "",
            "params.yaml:4: no_folds: render.candidates asks the run 'tagger' about rows that it was trained on, ",
        ),
        (", folds: 2", None),
    ],
)
def test_a_missing_run_is_an_error_and_one_without_folds_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folds: str, found: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS % folds, "utf-8")
    project, faults = read_project()
    assert faults == []
    missing, *others = check_params(project)
    assert (missing.severity, str(missing.diagnostic)) == (
        "error",
        "params.yaml:3: no_model: render.tools_from names the run 'retriever', which is neither trained nor in "
        "train.runs; add `retriever: splits` to train.runs, or change render.tools_from",
    )
    assert [(item.severity, str(item.diagnostic).startswith(found or "")) for item in others] == [
        ("warning", True) for _ in range(found is not None)
    ]
