"""A stage finds the mistakes of later stages before it works: nothing fails after a training that could earlier."""

from __future__ import annotations

import pytest

from exemplars.core.preflight import STAGES
from tests.conftest import Workspace

PARAMS = """\
ingest: {sources: {mine: {format: jsonl, path: raw, license: MIT}}}
publish:
  name: mine
  title: Mine
  released: "2026-01-01"
  sources:
    mien: {about: x, kind: written, authors: me}
"""


@pytest.mark.parametrize("stage", STAGES)
def test_a_mistake_in_the_last_stage_stops_every_stage(workspace: Workspace, stage: str) -> None:
    if stage in ("render", "train", "evaluate"):
        pytest.importorskip("torch")
    workspace.write("params.yaml", PARAMS)
    done = workspace.run(f"stages.{stage}", *(["mine"] if stage == "ingest" else []))
    assert done.returncode == 1
    assert "params.yaml:7: unknown_source: publish.sources describes 'mien'" in done.stderr
    assert "did you mean 'mine'?" in done.stderr


def test_a_stage_does_not_mind_mistakes_of_earlier_ones(workspace: Workspace) -> None:
    workspace.write("params.yaml", PARAMS.replace("mien", "mine") + "curate: {label_noise: {folds: 0}}\n")
    done = workspace.run("stages.split")
    assert "curate" not in done.stderr.replace("data/curated", "")


def test_a_section_that_is_missing_in_a_pipeline_is_found_first(workspace: Workspace) -> None:
    workspace.write("params.yaml", PARAMS.partition("publish")[0])
    workspace.write("raw/a.jsonl", '{"utterance": "hello"}\n')
    assert workspace.run("stages.ingest", "mine").returncode == 0
    workspace.write("dvc.yaml", "stages: {publish: {cmd: python -m stages.publish}}\n")
    done = workspace.run("stages.ingest", "mine")
    assert done.returncode == 1
    assert "missing_section: found no section 'publish'" in done.stderr
