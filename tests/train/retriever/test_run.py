"""A run of the recipe `retriever`, and what can go wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exemplars.core.digests import hash_split
from exemplars.core.errors import UserError
from exemplars.core.files import hash_file, write_bytes
from exemplars.core.tables import write_table
from exemplars.dataset.catalog import Skill, encode_catalog
from exemplars.dataset.row_tables import exemplars_to_table
from exemplars.models.run_manifest import read_manifest
from stages.train.params import Precision
from tests.models.tagger.rows import ROWS, SKILLS, make_row, said
from tests.train.retriever.trained import train_tiny

pytest.importorskip("sentence_transformers")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_records_what_it_was_made_from_and_measures_its_rankings(project: Path) -> None:
    long = make_row("ring " * 60, "call", name="long")
    trained, folder = train_tiny(rows=[*ROWS, long], skills=[*SKILLS, Skill("sing")], shared={"max_steps": 3})
    manifest = read_manifest(folder)
    digests = [row.digest for row in ROWS]
    assert manifest.run.startswith(f"retriever-{hash_split(digests)[:12]}-")
    assert (folder / "rows.txt").read_text().split() == sorted(digests)
    assert (manifest.method, manifest.steps, manifest.resumed_from) == ("retriever", 3, None)
    assert manifest.data_hashes["train"] == hash_split(digests)
    report = json.loads((project / "reports/details/train/retriever.json").read_bytes())
    assert report["rows"] == {"in": 9, "trained": 8, "rejected": 1}
    assert report["rejections"] == [
        "too_long: a:1: found an utterance of 60 tokens, expected at most 48 tokens, the window of the encoder; "
        "shorten it, raise max_tokens of the recipe, or choose an encoder with a longer window"
    ]
    assert report["skills_without_rows"] == ["sing"]
    assert report["retrieval"]["all"]["rows"] == 8
    assert set(report["retrieval"]["all"]) == {
        "rows",
        "bm25",
        "untrained",
        "examples",
        "descriptions",
        "fused",
    }
    # Each of the four skills has a description, and is ranked.
    assert report["retrieval"]["all"]["fused"]["hit_at_5"]["value"] == 1.0
    metrics = json.loads((project / "reports/train/retriever.json").read_bytes())
    assert (metrics["validation_hit_at_5"], metrics["tools"]) == (1.0, report["tools"])
    assert report["tools"] in (1, 2, 3, 4)
    assert not list(project.glob("models/.partial-*"))
    assert not trained.checkpoints.exists()


def hash_weights(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hash_file(path)
        for path in sorted((folder / "weights").rglob("*"))
        if path.is_file()
    }


def test_a_killed_training_resumes_to_the_same_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    from stages.train.retriever import training

    shared = {"log_every": 1, "checkpoint_every": 2}
    whole, folder = train_tiny(shared=shared)
    expected = hash_weights(folder)
    take_step = training.PlannedTrainer.training_step

    def die(self: Any, *arguments: Any, **options: Any) -> Any:
        if self.state.global_step == 3:
            raise KeyboardInterrupt
        return take_step(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(training.PlannedTrainer, "training_step", die)
        with pytest.raises(KeyboardInterrupt):
            train_tiny(shared=shared)
    resumed, folder = train_tiny(shared=shared)
    assert resumed.manifest.resumed_from == 2
    assert hash_weights(folder) == expected
    assert resumed.manifest.losses == whole.manifest.losses
    assert "/" not in "".join(path.read_text() for path in folder.glob("weights/tokenizer_config.json"))


def test_bf16_is_used_where_it_is_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    from stages.train.retriever import training

    measured = []

    def measure(model: Any, compute: Callable[[], Any]) -> float:
        measured.append((type(model).__name__, tuple(compute()["sentence_embedding"].shape)))
        return 1.5

    monkeypatch.setattr(training, "supports_bf16", lambda: True)
    monkeypatch.setattr(training, "measure_speedup", measure)
    trained, _ = train_tiny(shared={"precision": Precision.AUTO})
    assert measured == [("BertModel", (3, 32))]
    assert trained.manifest.precision["chosen"] == "bf16"


def test_the_result_is_an_average_of_the_weights_before_and_after_training() -> None:
    from safetensors.torch import load_file

    shares = (0.0, 0.25)
    trained, averaged = (
        load_file(train_tiny(start_share=share)[1] / "weights/model.safetensors") for share in shares
    )
    start = load_file(Path("encoder/model.safetensors"))
    name = "encoder.layer.0.output.dense.weight"
    assert not trained[name].equal(start[name])
    assert averaged[name].allclose(0.25 * start[name] + 0.75 * trained[name], atol=1e-6)


def test_a_catalog_of_one_skill_is_indexed_and_short_vectors_are_trained() -> None:
    rows = [make_row("ring mum", "call", said("contact", "mum")), make_row("no", None)]
    _, folder = train_tiny(rows=rows, skills=[SKILLS[0]], dimensions=[16], shared={"max_steps": 2})
    settings = json.loads((folder / "weights/retriever.json").read_bytes())
    assert (settings["tools"], settings["dimensions"]) == (1, 16)


@pytest.mark.parametrize("rows", [[], [make_row("no thanks", None)]])
def test_without_a_call_to_learn_nothing_is_trained(rows: list[Any]) -> None:
    with pytest.raises(UserError, match=r"train\.parquet: empty_split: found no row with a call to train on"):
        train_tiny(rows=rows)
    assert not Path("models").exists()


def test_a_window_that_the_encoder_does_not_have_is_refused() -> None:
    with pytest.raises(
        UserError, match="max_tokens: 65, for an encoder with a window of 64 tokens, expected at most 64"
    ):
        train_tiny(max_tokens=65)


def test_the_inputs_are_the_splits_the_templates_and_the_catalog() -> None:
    from exemplars.core.schemas import TEMPLATE_SCHEMA
    from stages.train.retriever.inputs import read_retriever_input

    write_bytes(Path("data/exemplars/catalog.json"), encode_catalog(SKILLS))
    write_table(Path("data/exemplars/templates.parquet"), TEMPLATE_SCHEMA.empty_table())
    for name, rows in {"train": ROWS[:5], "validation": ROWS[5:]}.items():
        write_table(Path(f"data/splits/{name}.parquet"), exemplars_to_table(rows))
    data = read_retriever_input()
    assert (list(data.skills), data.train, data.validation) == (list(SKILLS), ROWS[:5], ROWS[5:])
    assert data.templates == []
