from __future__ import annotations

from pathlib import Path

import pytest

from exemplars.core.preflight import read_project
from stages.evaluate.preflight import check_params

PARAMS = """\
ingest: {sources: {mine: {format: jsonl, path: raw, license: MIT}}}
train: {runs: {lora: training}}
evaluate:
  compare: [knn, loar, lora_constrained, runs]
  reference: tuned
publish: {name: mine, title: Mine, released: "2026-01-01"}
"""


def test_names_of_no_system_are_found_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS, "utf-8")
    project, faults = read_project()
    assert faults == []
    assert [str(finding.diagnostic) for finding in check_params(project)] == [
        "params.yaml:4: unknown_system: evaluate.compare: there is no system 'loar'; did you mean 'lora'?",
        "params.yaml:5: unknown_system: evaluate.reference: there is no system 'tuned'; name one of knn, base, "
        "base_constrained, retrieved, retrieved_constrained, lora, lora_constrained, runs, cascade",
    ]
