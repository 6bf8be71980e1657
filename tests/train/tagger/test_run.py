"""A run of the recipe `tagger`, and everything that can go wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from exemplars.core.digests import hash_split
from exemplars.core.errors import UserError
from exemplars.core.files import hash_file, write_bytes
from exemplars.core.tables import write_table
from exemplars.dataset.catalog import Skill, encode_catalog
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.row_tables import exemplars_to_table
from exemplars.models.run_manifest import read_manifest
from stages.train.params import Precision
from stages.train.tagger.inputs import read_tagger_input
from tests.models.tagger.rows import ROWS, SKILLS, make_row, meant, said
from tests.train.tagger.trained import train_tiny

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_is_named_by_its_rows_and_records_what_it_was_made_from(project: Path) -> None:
    trained, folder = train_tiny(shared={"max_steps": 3})
    manifest = read_manifest(folder)
    digests = [row.digest for row in ROWS]
    assert manifest.run.startswith(f"tagger-{hash_split(digests)[:12]}-")
    assert (folder / "rows.txt").read_text().split() == sorted(digests)
    assert (manifest.method, manifest.steps, manifest.seed, manifest.resumed_from) == ("tagger", 3, 1, None)
    assert manifest.data_hashes == {"train": hash_split(digests), "validation": hash_split(digests)}
    assert set(manifest.losses) == {"train_loss", "validation_loss"}
    assert (project / "models").glob(".partial-*") and not list((project / "models").glob(".partial-*"))
    assert not trained.checkpoints.exists()


def test_rows_that_are_learned_by_heart_are_right_and_sure() -> None:
    train_tiny(epochs=40)
    report = json.loads(Path("reports/details/train/tagger.json").read_bytes())
    assert report["validation"]["exact_match"] == 1.0
    assert report["validation"]["answered"] == 1.0
    assert report["rows"] == {"in": 8, "trained": 8, "rejected": 0}
    metrics = json.loads(Path("reports/train/tagger.json").read_bytes())
    assert metrics["validation_exact_match"] == 1.0


def hash_weights(folder: Path) -> dict[str, str]:
    return {path.name: hash_file(path) for path in sorted((folder / "weights").iterdir())}


def test_the_seed_determines_the_weights(project: Path) -> None:
    first = hash_weights(train_tiny()[1])
    assert hash_weights(train_tiny()[1]) == first
    other = hash_weights(train_tiny(shared={"seed": 2})[1])
    assert other["heads.safetensors"] != first["heads.safetensors"]


@pytest.mark.parametrize("killed_at", [1, 2, 3, 5])
def test_a_killed_training_resumes_to_the_same_weights(
    monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    from stages.train.tagger import training

    whole, folder = train_tiny(epochs=3)
    expected = hash_weights(folder)
    take_step = training.TaggerTraining._take_step

    def die(self: Any, *arguments: Any) -> float:
        if self.state.step == killed_at:
            raise KeyboardInterrupt
        return take_step(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(training.TaggerTraining, "_take_step", die)
        with pytest.raises(KeyboardInterrupt):
            train_tiny(epochs=3, shared={"checkpoint_every": 2})
    resumed, folder = train_tiny(epochs=3, shared={"checkpoint_every": 2})
    assert resumed.manifest.resumed_from == (killed_at // 2 * 2 or None)
    assert hash_weights(folder) == expected
    assert (resumed.manifest.steps, resumed.manifest.tokens) == (whole.manifest.steps, whole.manifest.tokens)
    assert resumed.manifest.losses == whole.manifest.losses


def test_bf16_is_used_where_it_is_faster_and_a_resumed_training_keeps_the_choice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from stages.train.tagger import training

    shared = {"precision": Precision.AUTO, "checkpoint_every": 1}
    take_step, formats = training.TaggerTraining._take_step, []

    def take_three_steps(self: Any, *arguments: Any) -> float:
        if self.state.step == 3:
            raise KeyboardInterrupt
        formats.append(self.network.has_bf16)
        return take_step(self, *arguments)

    monkeypatch.setattr(training, "supports_bf16", lambda: True)
    monkeypatch.setattr(training, "measure_speedup", lambda *_: 2.0)
    with monkeypatch.context() as patch:
        patch.setattr(training.TaggerTraining, "_take_step", take_three_steps)
        with pytest.raises(KeyboardInterrupt):
            train_tiny(shared=shared)
    monkeypatch.setattr(training, "measure_speedup", lambda *_: 1.0)
    resumed, _ = train_tiny(shared=shared)
    assert formats == [True, True, True]
    assert resumed.manifest.resumed_from == 3
    assert resumed.manifest.precision == {
        "chosen": "bf16",
        "reason": "a layer took 2.00 times as long in fp32; bf16 is used from 1.2",
        "speedup": 2.0,
    }


def test_a_damaged_checkpoint_is_no_checkpoint() -> None:
    trained, folder = train_tiny()
    expected = hash_weights(folder)
    write_bytes(trained.checkpoints / "tagger.pt", b"half of a file")
    again, folder = train_tiny()
    assert (again.manifest.resumed_from, hash_weights(folder)) == (None, expected)


def test_a_row_that_does_not_fit_is_in_the_ledger_and_not_among_the_rows() -> None:
    long = make_row("ring " * 60, "call", name="long")
    far = make_row("yes", "weather", meant("location", "Rome", "context"), before=("Rome " + "x " * 60, "?"))
    _, folder = train_tiny(rows=[*ROWS, long, far], shared={"max_steps": 1})
    report = json.loads(Path("reports/details/train/tagger.json").read_bytes())
    assert report["rows"] == {"in": 10, "trained": 8, "rejected": 2}
    assert report["rejections"] == [
        "too_long: a:1: found an utterance of 62 tokens, expected at most 48 tokens, the window of the encoder; "
        "shorten it, raise max_tokens of the recipe, or choose an encoder with a longer window",
        "value_not_in_prompt: a:1: found the value of 'location' 2 turns before, expected one of the 1 turns that fit "
        "into the window; raise max_tokens or context_turns of the recipe",
    ]
    assert (folder / "rows.txt").read_text().split() == sorted(row.digest for row in ROWS)


def test_a_skill_without_train_rows_is_reported() -> None:
    train_tiny(skills=[*SKILLS, Skill("sing")], shared={"max_steps": 1})
    assert json.loads(Path("reports/details/train/tagger.json").read_bytes())["skills_without_rows"] == [
        "sing"
    ]


def test_a_skill_without_train_rows_is_known_by_its_description_alone() -> None:
    from exemplars.models.tagger.predictor import load_tagger

    sing = Skill("sing", "Sing a song", (Parameter("song"),))
    _, folder = train_tiny(skills=[*SKILLS, sing])
    report = json.loads(Path("reports/details/train/tagger.json").read_bytes())
    assert report["skills_without_rows"] == ["sing"]
    network = load_tagger(folder).network
    own = [network.skill_head.own.weight, network.skill_reader.own.weight, network.skill_head.own.bias]
    is_zero = [[not bool(weights[number].any()) for weights in own] for number in range(5)]
    assert is_zero == [[False] * 3, [False] * 3, [False] * 3, [True] * 3, [False] * 3]
    assert bool(network.skill_head.vectors[3].any())


def test_a_catalog_of_one_skill_is_learned() -> None:
    rows = [make_row("ring mum", "call", said("contact", "mum")), make_row("no", None)]
    train_tiny(epochs=40, rows=rows, skills=[SKILLS[0]])
    assert json.loads(Path("reports/train/tagger.json").read_bytes())["validation_exact_match"] == 1.0


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


def test_the_inputs_are_the_splits_and_the_catalog() -> None:
    write_bytes(Path("data/exemplars/catalog.json"), encode_catalog(SKILLS))
    for name, rows in {"train": ROWS[:5], "validation": ROWS[5:]}.items():
        write_table(Path(f"data/splits/{name}.parquet"), exemplars_to_table(rows))
    data = read_tagger_input()
    assert (list(data.skills), data.train, data.validation) == (list(SKILLS), ROWS[:5], ROWS[5:])
