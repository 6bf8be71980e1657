"""The recipes dpo, kto, reward and rloo on a tiny model: what moves, what is recorded, what can go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from safetensors.torch import load_file

from exemplars.core import layout
from exemplars.core.digests import hash_split
from exemplars.core.errors import UserError
from exemplars.core.files import read_json
from exemplars.core.tables import rows_to_table, write_table
from exemplars.models.preference_rows import PreferenceRow
from exemplars.models.render_manifest import attach_manifest
from exemplars.models.run_manifest import load_run, read_manifest
from stages.train.params import Batching, Precision
from stages.train.recipe_params import Dpo, Full, Kto, Reward, RewardKind, Rloo
from tests.train.alignment.projects import RECIPES, SMALL, AlignmentProject

torch = pytest.importorskip("torch")
pytest.importorskip("trl")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AlignmentProject:
    monkeypatch.chdir(tmp_path)
    return AlignmentProject(tmp_path)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlignmentProject]:
    """A project with runs of lora and reward."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root := tmp_path_factory.mktemp("tuned"))
        made = AlignmentProject(root)
        made.train("lora", max_steps=30)
        made.train("reward", max_steps=20)
    yield made


def read_losses(name: str) -> list[float]:
    lines = (layout.train_plots(name) / "plots/metrics/train/loss.tsv").read_text().splitlines()[1:]
    return [float(line.split("\t")[1]) for line in lines]


def load_adapters(name: str) -> dict[str, Any]:
    return dict(load_file(layout.model(name) / "weights/adapter_model.safetensors"))


@pytest.mark.parametrize("name", ["dpo", "kto", "reward"])
def test_preferences_move_the_adapters_alone_and_the_loss_falls(name: str, project: AlignmentProject) -> None:
    manifest = project.train(name, max_steps=16)
    losses = read_losses(name)
    assert sum(losses[-4:]) < sum(losses[:4])
    assert (manifest.method, manifest.steps, manifest.resumed_from, manifest.start) == (name, 16, None, None)
    assert manifest.tokens > 0
    adapters = load_adapters(name)
    assert all(".lora_" in key or key.endswith("score.weight") for key in adapters)
    assert all(weights.abs().sum() > 0 for key, weights in adapters.items() if ".lora_B" in key)
    assert sorted(path.name for path in (layout.model(name) / "weights").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert not list(Path("models/.checkpoints").iterdir())
    report = read_json(layout.details(f"train/{name}"), dict[str, Any], code="", expected="", fix="")
    assert report["preferences"] == 4
    assert report["pairs"]["validation"] == 2


def test_a_run_records_the_preferences_and_the_rows_that_it_saw(project: AlignmentProject) -> None:
    manifest = project.train("dpo", max_steps=1)
    seen = {digest for row in project.preferences for digest in (row.digest, *row.digests)}
    rows = (layout.model("dpo") / "rows.txt").read_text().split()
    assert rows == sorted(seen)
    assert manifest.rows_hash == hash_split(seen)
    assert manifest.run.startswith(f"dpo-{manifest.rows_hash[:12]}-")
    assert manifest.data_hashes["preferences"] == hash_split(row.digest for row in project.preferences)
    again = project.train("dpo", max_steps=1)
    assert (again.run, again.weights_sha256) == (manifest.run, manifest.weights_sha256)
    other = project.train("dpo", msgspec.structs.replace(RECIPES["dpo"], beta=0.2), max_steps=1)
    assert other.run != manifest.run


@pytest.mark.parametrize("name", ["dpo", "kto", "reward"])
def test_shared_prefixes_compute_the_losses_of_padded_rows(name: str, project: AlignmentProject) -> None:
    project.train(name, max_steps=3)
    shared = read_losses(name)
    project.train(name, max_steps=3, batching=Batching.GROUP_BY_LENGTH)
    assert read_losses(name) == pytest.approx(shared, rel=1e-3)


def test_dpo_trains_the_adapters_of_a_tuned_run_further(
    tuned: AlignmentProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tuned.root)
    before = load_adapters("lora")
    manifest = tuned.train("dpo", Dpo(learning_rate=1e-3, start="lora", batch_rows=4), max_steps=2)
    start = read_manifest(layout.model("lora"))
    assert manifest.start is not None
    assert (manifest.start.run, manifest.start.weights_sha256) == (start.run, start.weights_sha256)
    # The loss of the first step is that of equal models: it starts from the tuned one, not from the base.
    assert read_losses("dpo")[0] - 0.2 * tuned_loss(tuned) == pytest.approx(0.6931, abs=0.02)
    after = load_adapters("dpo")
    assert after.keys() == before.keys()
    assert all(torch.allclose(after[key], before[key], atol=0.05) for key in after)
    assert any(not torch.equal(after[key], before[key]) for key in after)
    seen = {digest for row in tuned.preferences for digest in row.digests}
    assert set((layout.model("dpo") / "rows.txt").read_text().split()) >= seen | {
        digest for row in tuned.rows for digest in row.digests
    }
    model, _ = load_run(layout.model("dpo"), dtype="float32")
    assert list(model.peft_config) == ["default"]


def tuned_loss(project: AlignmentProject) -> float:
    """Compute what the tuned run makes of the chosen sides, per token."""
    model, _ = load_run(layout.model("lora"), dtype="float32")
    total = count = 0.0
    for row in project.preferences:
        ids = torch.tensor([row.prompt_ids + row.chosen_ids])
        labels = torch.tensor([(-100,) * len(row.prompt_ids) + row.chosen_ids])
        with torch.inference_mode():
            total += float(model(input_ids=ids, labels=labels).loss) * len(row.chosen_ids)
        count += len(row.chosen_ids)
    return total / count


def test_rloo_answers_are_rewarded_more_by_a_learned_reward_after_training(
    tuned: AlignmentProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tuned.root)
    recipe = Rloo(
        learning_rate=1e-2,
        start="lora",
        rewards={RewardKind.LEARNED: 1.0, RewardKind.EXACT: 1.0, RewardKind.TYPED: 0.5},
        answers=4,
        max_new_tokens=12,
        beta=0.0,
        batch_rows=16,
    )
    manifest = tuned.train("rloo", recipe, max_steps=12)
    lines = (layout.train_plots("rloo") / "plots/metrics/train/reward.tsv").read_text().splitlines()[1:]
    rewards = [float(line.split("\t")[1]) for line in lines]
    assert sum(rewards[-4:]) > sum(rewards[:4])
    assert manifest.data_hashes.keys() == {"sample", "seen"}
    assert all(".lora_" in key for key in load_adapters("rloo"))


def test_a_start_that_cannot_be_trained_further_is_a_sentence(project: AlignmentProject) -> None:
    def dpo(start: str) -> Dpo:
        return Dpo(start=start, **SMALL)

    with pytest.raises(
        UserError,
        match="found lora, which has no run, expected a run that has been trained; run `dvc repro train@lora` first",
    ):
        project.train("dpo", dpo("lora"))
    with pytest.raises(UserError, match="found the run itself"):
        project.train("dpo", dpo("dpo"))
    project.train("full", Full(learning_rate=1e-3), max_steps=1)
    with pytest.raises(
        UserError, match=r"found full-.* of the method full, expected a run with low-rank adapters"
    ):
        project.train("dpo", dpo("full"))
    project.train("lora", max_steps=1)
    (layout.model("lora") / "weights/adapter_model.safetensors").write_bytes(b"")
    with pytest.raises(UserError, match="without the weights that its manifest names"):
        project.train("dpo", dpo("lora"))


def test_a_missing_model_of_rewards_is_a_sentence(project: AlignmentProject) -> None:
    recipe = msgspec.structs.replace(RECIPES["rloo"], rewards={RewardKind.LEARNED: 1.0})
    with pytest.raises(
        UserError,
        match="found no run, expected a trained model of rewards; run `dvc repro train@reward` first",
    ):
        project.train("rloo", recipe)
    project.train("lora", max_steps=1)
    with pytest.raises(UserError, match=r"found lora-.*, of the method lora, expected a model of rewards"):
        project.train("rloo", msgspec.structs.replace(recipe, reward_run="lora"))


@pytest.mark.parametrize("recipe", [Dpo(**SMALL), Kto(**SMALL), Reward(**SMALL)])
def test_without_preferences_a_sentence_says_how_to_make_some(recipe: Any, project: AlignmentProject) -> None:
    project.preferences = []
    project.write()
    with pytest.raises(
        UserError, match=r"data/preferences/train.parquet: no_preferences: .*exemplars preferences mine"
    ):
        project.train("dpo", recipe)
    layout.preferences("train").unlink()
    with pytest.raises(UserError, match="dvc repro"):
        project.train("dpo", recipe)


def test_a_base_that_changed_since_render_is_a_sentence(project: AlignmentProject) -> None:
    config = project.root / "base/config.json"
    config.write_text(config.read_text().replace('"use_cache": true', '"use_cache": false') + "\n")
    with pytest.raises(UserError, match="for which the rows were rendered"):
        project.train("dpo")
    config.write_text("{")
    with pytest.raises(UserError, match="base"):
        project.train("dpo")


def test_a_run_of_rewards_is_no_language_model(
    tuned: AlignmentProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tuned.root)
    with pytest.raises(UserError, match="choose a recipe that trains a language model"):
        load_run(layout.model("reward"))


def test_without_preferences_about_validation_nothing_is_measured(project: AlignmentProject) -> None:
    table = rows_to_table([], PreferenceRow)
    write_table(layout.preferences("validation"), attach_manifest(table, project.rendered))
    manifest = project.train("dpo", max_steps=1)
    assert manifest.losses.keys() == {"train_loss"}
    report = read_json(layout.details("train/dpo"), dict[str, Any], code="", expected="", fix="")
    assert report["pairs"]["accuracy"] == {"value": None, "low": None, "high": None}


@pytest.mark.parametrize("name", ["dpo", "reward"])
def test_an_alignment_in_bf16_is_one_that_loads_again(name: str, project: AlignmentProject) -> None:
    manifest = project.train(name, max_steps=2, precision=Precision.BF16)
    assert manifest.precision["chosen"] == "bf16"
    assert all(weights.isfinite().all() for weights in load_adapters(name).values())
