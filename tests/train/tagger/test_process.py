"""The stage `train` with the recipe `tagger` as a process: killed, and out of disk."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from exemplars.core import layout
from exemplars.core.files import write_bytes
from exemplars.core.tables import write_table
from exemplars.dataset.catalog import encode_catalog
from exemplars.dataset.row_tables import exemplars_to_table
from stages.train.__main__ import main
from tests.conftest import SAMPLE, Workspace
from tests.models.tagger.rows import ROWS, SKILLS
from tests.stage_server import StageServer
from tests.tiny import save_tiny_encoder
from tests.train.kills import kill_at_second_checkpoint

pytest.importorskip("torch")
PARAMS = yaml.safe_load((SAMPLE / "params.yaml").read_bytes()) | {
    "evaluate": {"compare": ["knn"], "reference": "knn"}
}


@pytest.fixture
def workspace(tmp_path: Path, stage_server: StageServer) -> Workspace:
    """A project with the splits and the catalog of the tests, and a tiny encoder in a folder."""
    encoder = {"from": "folder", "path": str(save_tiny_encoder(tmp_path / "encoder")), "license": "MIT"}
    recipe = {"method": "tagger", "epochs": 5, "batch_rows": 2, "max_tokens": 48, "encoder": encoder}
    shared = {**PARAMS["train"]["shared"], "max_steps": None, "checkpoint_every": 4}
    train = {"runs": {"tagger": "splits"}, "shared": shared, "recipes": {"tagger": recipe}}
    workspace = Workspace(tmp_path, stage_server.python)
    workspace.write("params.yaml", yaml.safe_dump({**PARAMS, "train": train}))
    write_bytes(tmp_path / layout.CATALOG, encode_catalog(SKILLS))
    for name in ("train", "validation"):
        write_table(tmp_path / layout.split(name), exemplars_to_table(ROWS))
    return workspace


def manifest(workspace: Workspace) -> dict[str, Any]:
    return dict(json.loads((workspace.root / "models/tagger/manifest.json").read_bytes()))


def test_a_killed_tagger_goes_on_from_its_checkpoint_to_the_same_weights(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_at_second_checkpoint(workspace, "tagger", "tagger.pt")
    assert not (workspace.root / "models/tagger").exists()
    resumed = workspace.run("stages.train", "tagger")
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout.startswith("train: tagger-")
    after = manifest(workspace)
    assert after["resumed_from"] == 4
    assert not list((workspace.root / "models/.checkpoints").iterdir())
    monkeypatch.chdir(workspace.root)
    monkeypatch.setattr(sys, "argv", ["stages.train", "tagger"])
    main()
    whole = manifest(workspace)
    assert whole["resumed_from"] is None
    assert (after["run"], after["weights_sha256"]) == (whole["run"], whole["weights_sha256"])
    assert after["losses"] == whole["losses"]


def test_a_disk_that_is_full_at_a_checkpoint_is_one_sentence_and_no_model(
    workspace: Workspace, stage_server: StageServer
) -> None:
    done = subprocess.run(
        [stage_server.python, "-m", "stages.train", "tagger"],
        cwd=workspace.root,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (45_000, 45_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert "error: 1 problem(s) found\n  models: not_saved: found " in done.stderr
    assert not list(workspace.root.glob("models/*/manifest.json"))
    assert not list(workspace.root.glob("models/.partial-*"))
    assert not list(workspace.root.glob("models/.checkpoints/*/tagger.pt"))
