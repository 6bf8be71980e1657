from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest

from exemplars.core.errors import UserError
from exemplars.core.params import load_keys, load_section
from stages.ingest.params import IngestParams, OnBadFile, SkillsSource
from stages.split.params import SplitParams

SPLIT = """\
split:
  ratios: {train: 0.8, validation: 0.1, test: 0.1}
  salt: x
  official: keep
"""
TRAIN = """\
train:
  shared:
    batch_rows: 8
    warmup: 0.1
  device: cpu
  recipes: [lora, full]
  names: {first: ring, second: call}
  tracker: wandb
  base: {from: hub, id: some/model}
"""


class Tracker(StrEnum):
    WANDB = "wandb"
    TRACKIO = "trackio"


class Shared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    batch_rows: Annotated[int, msgspec.Meta(ge=1)]
    warmup: Annotated[float, msgspec.Meta(ge=0, le=1)]

    def __post_init__(self) -> None:
        if self.batch_rows > 100 and self.warmup > 0.5:
            raise ValueError("Expected a warm-up of at most half for large batches, got more")


class Hub(msgspec.Struct, frozen=True, tag_field="from", tag="hub", forbid_unknown_fields=True):
    id: str


class Folder(msgspec.Struct, frozen=True, tag_field="from", tag="folder", forbid_unknown_fields=True):
    path: str


class Train(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A section with every kind of field that sections have."""

    shared: Shared
    device: Literal["cpu", "cuda"]
    recipes: Annotated[
        tuple[Annotated[str, msgspec.Meta(pattern=r"^[a-z]+$")], ...], msgspec.Meta(min_length=1)
    ]
    names: dict[str, str]
    tracker: Tracker | None
    base: Hub | Folder
    max_rows: Annotated[int, msgspec.Meta(ge=1)] | None = None


def write_params(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_section_is_read_into_its_type(tmp_path: Path) -> None:
    path = write_params(
        tmp_path,
        "ingest:\n  context_turns: 3\n  sources:\n    mine: {format: skills, path: a, license: MIT}\n",
    )
    params = load_section("ingest", IngestParams, path)
    assert params.context_turns == 3
    assert params.sources == {
        "mine": SkillsSource(path="a", license="MIT", on_bad_file=OnBadFile.FAIL, none_skill=None)
    }


def test_every_unknown_key_is_named_with_its_line_and_a_guess(tmp_path: Path) -> None:
    text = SPLIT.replace("salt:", "slat:").replace("test:", "tset:") + "vlaidate: {}\n"
    with pytest.raises(UserError, match=r"unknown key 'split\.slat'") as caught:
        load_section("split", SplitParams, write_params(tmp_path, text))
    found = [(problem.line, problem.found, problem.fix) for problem in caught.value.diagnostics]
    assert found == [
        (5, "unknown key 'vlaidate'", "did you mean 'validate'?"),
        (2, "unknown key 'split.ratios.tset'", "did you mean 'test'?"),
        (3, "unknown key 'split.slat'", "did you mean 'salt'?"),
    ]


def test_an_unknown_key_of_a_source_is_named_for_its_format(tmp_path: Path) -> None:
    path = write_params(
        tmp_path,
        "ingest:\n  context_turns: 3\n  sources:\n    a: {format: sgd, path: a, license: MIT, spilts: []}\n",
    )
    with pytest.raises(UserError, match=r"unknown key 'ingest.sources.a.spilts'.*did you mean 'splits'\?"):
        load_section("ingest", IngestParams, path)


def test_a_value_of_a_wrong_type_is_shown(tmp_path: Path) -> None:
    path = write_params(tmp_path, SPLIT.replace("salt: x", "salt: 7"))
    with pytest.raises(UserError) as caught:
        load_section("split", SplitParams, path)
    assert str(caught.value) == (
        f"{path}:3: invalid_value: split.salt is 7: expected str, got int; correct the value"
    )


def test_ratios_that_do_not_sum_to_one_are_refused(tmp_path: Path) -> None:
    path = write_params(tmp_path, SPLIT.replace("0.8", "0.9"))
    with pytest.raises(UserError, match=r"split\.ratios: expected .*sum to 1, got a sum of 1\.1"):
        load_section("split", SplitParams, path)


def test_the_section_of_these_tests_is_valid(tmp_path: Path) -> None:
    params = load_section("train", Train, write_params(tmp_path, TRAIN))
    assert params.base == Hub("some/model")
    assert params.tracker is Tracker.WANDB


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("batch_rows: 8", "batch_rows: 0", 3, "train.shared.batch_rows is 0: expected int >= 1; correct the value"),
        ("warmup: 0.1", "warmup: 1.5", 4, "train.shared.warmup is 1.5: expected float <= 1.0; correct the value"),
        ("warmup: 0.1", "warmup: yes", 4, "train.shared.warmup is true: expected float, got bool; correct the value"),
        ("    warmup: 0.1\n", "", 2, "train.shared.warmup is missing: expected a value; add it"),
        ("device: cpu", "device: tpu", 5, "train.device is 'tpu': expected one of cpu, cuda; correct the value"),
        ("[lora, full]", "[]", 6, "train.recipes is []: expected array of length >= 1; correct the value"),
        ("[lora, full]", "[lora, 7]", 6, "train.recipes[1] is 7: expected str, got int; correct the value"),
        ("[lora, full]", "[LoRA]", 6, "train.recipes[0] is 'LoRA': expected str matching regex '^[a-z]+$'; correct the value"),
        ("second: call", "second: null", 7, "train.names.second is null: expected str, got null; correct the value"),
        ("tracker: wandb", "tracker: mlflow", 8, "train.tracker is 'mlflow': expected one of wandb, trackio; correct the value"),
        ("from: hub", "from: hbu", 9, "train.base.from is 'hbu': expected one of hub, folder; correct the value"),
        ("from: hub, ", "", 9, "train.base.from is missing: expected one of hub, folder; add it"),
        ("base: ", "max_rows: 0\n  base: ", 9, "train.max_rows is 0: expected int >= 1; correct the value"),
        ("base: {from: hub, id: some/model}", "base: hub", 9, "train.base is 'hub': expected object, got str; correct the value"),
        ("batch_rows: 8\n    warmup: 0.1", "batch_rows: 800\n    warmup: 0.9", 2, "train.shared: expected a warm-up of at most half for large batches, got more; correct the value"),
    ],
)  # fmt: skip
def test_an_invalid_value_is_shown_with_its_line_and_what_was_expected(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    assert old in TRAIN
    path = write_params(tmp_path, TRAIN.replace(old, new))
    with pytest.raises(UserError) as caught:
        load_section("train", Train, path)
    assert [(problem.line, problem.message) for problem in caught.value.diagnostics] == [(line, message)]


def test_everything_that_is_wrong_with_a_section_is_reported_at_once(tmp_path: Path) -> None:
    text = TRAIN.replace("batch_rows: 8", "batch_rows: 0").replace("cpu", "tpu").replace("lora", "7")
    text = text.replace("from: hub, id", "from: hub, ida") + "vlaidate: {}\n"
    with pytest.raises(UserError) as caught:
        load_section("train", Train, write_params(tmp_path, text))
    assert [(problem.line, problem.code, problem.message) for problem in caught.value.diagnostics] == [
        (
            10,
            "unknown_key",
            "found unknown key 'vlaidate', expected one of ingest, compile, curate, validate, split, render, "
            "train, evaluate, publish; did you mean 'validate'?",
        ),
        (3, "invalid_value", "train.shared.batch_rows is 0: expected int >= 1; correct the value"),
        (5, "invalid_value", "train.device is 'tpu': expected one of cpu, cuda; correct the value"),
        (6, "invalid_value", "train.recipes[0] is 7: expected str, got int; correct the value"),
        (
            9,
            "unknown_key",
            "found unknown key 'train.base.ida', expected one of id, from; did you mean 'id'?",
        ),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "found no keys, expected the sections"),
        ("split: [", "not_yaml"),
        ("split: 5", "split is 5: expected object, got int; correct the value"),
    ],
)
def test_a_broken_file_is_reported_in_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_section("split", SplitParams, write_params(tmp_path, text))


def test_a_missing_file_is_reported_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="missing_file: found no such file"):
        load_section("split", SplitParams, tmp_path / "params.yaml")


@pytest.mark.parametrize("text", ["compile: {}", "split:", "split: {}", "split: {salt: exemplars-1}"])
def test_what_a_section_does_not_name_has_its_default(tmp_path: Path, text: str) -> None:
    assert load_section("split", SplitParams, write_params(tmp_path, text)) == SplitParams()


def test_a_section_with_keys_that_have_no_default_is_required(tmp_path: Path) -> None:
    path = write_params(tmp_path, "split: {}")
    with pytest.raises(UserError, match="found no section 'ingest', expected a section 'ingest'"):
        load_section("ingest", IngestParams, path)


class Goals(msgspec.Struct, frozen=True):
    """Two keys of a section that has more."""

    ratio: Annotated[float, msgspec.Meta(ge=0)] = 0.5
    salt: str = "none"


@pytest.mark.parametrize(
    ("text", "goals"),
    [
        ("split: {salt: x, ratio: 2, unknown: here}\n", Goals(2, "x")),
        ("split: {salt: x}\n", Goals(salt="x")),
        ("split: null\n", Goals()),
        ("train: {}\n", Goals()),
    ],
)
def test_a_stage_reads_the_keys_of_a_section_that_it_needs(tmp_path: Path, text: str, goals: Goals) -> None:
    (tmp_path / "params.yaml").write_text(text, "utf-8")
    assert load_keys("split", Goals, tmp_path / "params.yaml") == goals


def test_a_wrong_value_of_a_key_that_a_stage_needs_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("split:\n  ratio: -1\n", "utf-8")
    with pytest.raises(UserError, match=r"params\.yaml:2: invalid_value: split\.ratio is -1"):
        load_keys("split", Goals, tmp_path / "params.yaml")
