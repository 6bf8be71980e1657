"""Killed alignments go on from their checkpoint to the same weights."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from stages.train.__main__ import main
from tests.conftest import Workspace
from tests.train.alignment.projects import RECIPES, AlignmentProject
from tests.train.kills import kill_at_second_checkpoint
from tests.train.test_processes import PARAMS

pytest.importorskip("trl")


@pytest.mark.parametrize("name", ["dpo", "kto", "reward", "rloo"])
def test_a_killed_alignment_goes_on_to_the_same_weights(
    name: str, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = AlignmentProject(tmp_path)
    if name != "rloo":
        project.train("lora", max_steps=1)
    pair = {"version": 1, "id": "0" * 32, "row": "0" * 64, "chosen": [{"name": "call", "arguments": {}}]}
    pair |= {"rejected": [], "kind": "missed", "source": "written"}
    workspace.write("data/raw/preferences.jsonl", json.dumps(pair) + "\n")
    recipe = msgspec.to_builtins(RECIPES[name]) | ({"start": "lora"} if name in ("dpo", "kto") else {})
    shared = {"max_steps": 5, "checkpoint_every": 2, "log_every": 1, "validation_rows": 2}
    workspace.write(
        "params.yaml",
        yaml.safe_dump(
            PARAMS
            | {
                "train": {
                    "runs": {name: "training" if name == "rloo" else "preferences"},
                    "shared": {**PARAMS["train"]["shared"], **shared},
                    "recipes": {name: recipe},
                }
            }
        ),
    )
    kill_at_second_checkpoint(workspace, name, "trainer_state.json")
    assert not (tmp_path / "models" / name).exists()
    resumed = workspace.run("stages.train", name)
    assert resumed.returncode == 0, resumed.stderr
    after = read_manifest(tmp_path, name)
    assert after["resumed_from"] == 2  # The second checkpoint is not whole.
    monkeypatch.setattr(sys, "argv", ["stages.train", name])
    main()
    whole = read_manifest(tmp_path, name)
    assert whole["resumed_from"] is None
    assert (after["run"], after["weights_sha256"]) == (whole["run"], whole["weights_sha256"])


def read_manifest(root: Path, name: str) -> dict[str, Any]:
    return dict(json.loads((root / "models" / name / "manifest.json").read_bytes()))
