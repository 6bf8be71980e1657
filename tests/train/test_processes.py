"""The stage `train` as processes: killed, out of disk, and several at once."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from safetensors.torch import load_file

from exemplars.core import layout
from exemplars.core.tables import rows_to_table, write_table
from exemplars.models.base_models import FolderBase, find_base, load_tokenizer
from exemplars.models.render_manifest import attach_manifest
from exemplars.models.rows import TrainingRow
from stages.render.training_rows import render_split
from stages.train.__main__ import main
from tests.conftest import SAMPLE, Workspace
from tests.render.rows import SKILLS, params
from tests.stage_server import StageServer
from tests.tiny import make_render_manifest, save_tiny
from tests.train.kills import kill_at_second_checkpoint
from tests.train.test_run import ROWS

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

PARAMS = yaml.safe_load((SAMPLE / "params.yaml").read_bytes()) | {
    "evaluate": {"compare": ["knn"], "reference": "knn"}
}


def prepare(workspace: Workspace, **shared: Any) -> None:
    """Make a project whose rows are rendered for a tiny base in a folder."""
    base = FolderBase(path=str(save_tiny(workspace.root / "base")), license="MIT")
    files = find_base(base)
    split = render_split(ROWS, "train", SKILLS, load_tokenizer(files), params(rows_a_list=4), 400)
    table = rows_to_table(split.rows, TrainingRow)
    rendered = make_render_manifest(base, files.sha256)
    for name, part in {"train": table, "validation": table.slice(0, 2)}.items():
        write_table(workspace.root / layout.training(name), attach_manifest(part, rendered))
    changed = {"batch_rows": 1, "epochs": 1.0, "log_every": 1, "checkpoint_every": 2, "validation_rows": 0}
    train = {**PARAMS["train"], "shared": {**PARAMS["train"]["shared"], **changed, **shared}}
    train["runs"] = {"lora": "training"}
    train["recipes"] = {"lora": {**PARAMS["train"]["recipes"]["lora"], "layers": None, "rank": 4}}
    workspace.write("params.yaml", yaml.safe_dump({**PARAMS, "train": train}))


def manifest(workspace: Workspace) -> dict[str, Any]:
    return dict(json.loads((workspace.root / "models/lora/manifest.json").read_bytes()))


def train_here(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Train in this process, and return the manifest."""
    monkeypatch.chdir(workspace.root)
    monkeypatch.setattr(sys, "argv", ["stages.train", "lora"])
    main()
    return manifest(workspace)


def test_a_killed_training_goes_on_from_its_checkpoint_to_the_same_weights(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(workspace, max_steps=6)
    kill_at_second_checkpoint(workspace, "lora", "trainer_state.json")
    assert not (workspace.root / "models/lora").exists()
    resumed = workspace.run("stages.train", "lora")
    assert resumed.returncode == 0, resumed.stderr
    after = manifest(workspace)
    assert after["resumed_from"] == 2  # The second checkpoint is not whole.
    assert not list((workspace.root / "models/.checkpoints").iterdir())
    whole = train_here(workspace, monkeypatch)
    assert whole["resumed_from"] is None
    assert (after["run"], after["weights_sha256"]) == (whole["run"], whole["weights_sha256"])
    assert after["losses"]["train_loss"] == pytest.approx(whole["losses"]["train_loss"], rel=1e-4)


# The tiny adapter has 31 KB, written by safetensors; its optimizer 65 KB, written by torch.
@pytest.mark.parametrize(
    ("limit", "found"),
    [(20_000, "File too large"), (45_000, "a file that torch could not finish writing")],
    ids=["the weights", "the optimizer"],
)
def test_a_disk_that_is_full_at_a_checkpoint_is_one_sentence_and_no_model(
    limit: int,
    found: str,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    stage_server: StageServer,
) -> None:
    prepare(workspace)
    done = subprocess.run(
        [stage_server.python, "-m", "stages.train", "lora"],
        cwd=workspace.root,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert "error: 1 problem(s) found\n  models: not_saved: found " in done.stderr
    assert found in done.stderr
    assert not list(workspace.root.glob("models/*/manifest.json"))
    assert not list(workspace.root.glob("models/.partial-*"))
    # The checkpoint that was not whole is passed over.
    assert list(workspace.root.glob("models/.checkpoints/*/checkpoint-2"))
    assert train_here(workspace, monkeypatch)["resumed_from"] is None


def test_without_a_terminal_losses_and_a_summary_are_printed(workspace: Workspace) -> None:
    prepare(workspace, max_steps=4, log_every=2, validation_rows=2)
    # In a new Python, which imports torch after the stage has silenced what imports print.
    done = Workspace(workspace.root, Path(sys.executable)).run("stages.train", "lora")
    lines = [re.sub(r"\d\.\d{3}$|\d+ seconds?(?= left)", "L", line) for line in done.stderr.splitlines()]
    assert done.returncode == 0
    assert re.fullmatch(
        r"train: lora-[0-9a-f]{12}-[0-9a-f]{12}, 4 steps, [\d,]+ tokens; "
        r"train loss \d\.\d{3}, validation loss \d\.\d{3} \(\d+\.\d s\)\n",
        done.stdout,
    )
    assert lines == [
        "train: step 2 of 4, loss L",
        "train: about L left",
        "train: step 4 of 4, loss L",
        "train: step 4 of 4, validation loss L",
    ]


def test_two_processes_share_the_rows_and_the_first_alone_writes(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, stage_server: StageServer
) -> None:
    monkeypatch.setenv("PYTHON_EXEC", str(stage_server.python))  # What `torchrun` starts its workers with.
    prepare(workspace, batching="group_by_length", max_steps=1, batch_rows=2, warmup_share=0.0)
    # What `accelerate launch` starts for several GPUs; its own way on CPUs wants MPI.
    launched = workspace.run("torch.distributed.run", "--nproc-per-node=2", "-m", "stages.train", "lora")
    assert launched.returncode == 0, launched.stderr
    two = manifest(workspace)
    together = load_file(workspace.root / "models/lora/weights/adapter_model.safetensors")
    prepare(workspace, batching="group_by_length", max_steps=1, batch_rows=4, warmup_share=0.0)
    single = train_here(workspace, monkeypatch)
    alone = load_file(workspace.root / "models/lora/weights/adapter_model.safetensors")
    # Two processes with two rows each make the step of one with four.
    assert two["losses"]["train_loss"] == pytest.approx(single["losses"]["train_loss"], rel=1e-6)
    assert (two["steps"], two["tokens"]) == (1, single["tokens"])
    assert all(torch.allclose(value, alone[name], atol=1e-5) for name, value in together.items())
