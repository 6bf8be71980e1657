"""`exemplars estimate`: whether a training fits, before it begins."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from exemplars.cli.main import main
from tests.cli.project import Project
from tests.train.estimate.headers import list_llama_shapes, write_header

PARAMS = """\
render: {base: {from: folder, path: base, license: MIT}, max_tokens: 512}
train: {shared: {batch_rows: 8}}
"""
GIB = 2**30


@pytest.fixture
def sized(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A base of 167 million parameters, no rows, and a machine with 6 GiB of free memory."""
    project.write("params.yaml", PARAMS)
    shapes = list_llama_shapes(8, hidden=1024, wide=4096, keys=1024, vocabulary=32_000)
    write_header(project.root / "base/model.safetensors", shapes)

    class Memory:
        available = 6 * GIB
        total = 8 * GIB

    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    return project


def test_a_training_that_fits_is_described(sized: Project, printed: Callable[..., str]) -> None:
    text = printed("estimate", "--recipe", "lora")
    assert text.startswith("lora on base: 167.0 million parameters, 3.0 million trained\nmemory: about ")
    assert "of the 6.0 GiB that this machine has: it fits\n" in text
    assert "(a step of up to 4,096 tokens)" in " ".join(text.split())
    assert "time: not known before there are rows; run `dvc repro render`\n" in text


def test_an_alignment_trains_adapters_and_a_step_has_both_sides(
    sized: Project, printed: Callable[..., str]
) -> None:
    text = " ".join(printed("estimate", "--recipe", "dpo", status=1).split())
    assert text.startswith("dpo on base: 167.0 million parameters, 3.0 million trained")
    assert "(a step of up to 8,192 tokens)" in text
    assert "what would fit: batch_rows of the recipe: 4" in text


def test_rloo_whose_answers_have_any_length_is_refused_by_name(
    sized: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["estimate", "--recipe", "rloo"]) == 1
    assert "found the recipe rloo, which samples answers of any length" in " ".join(
        capsys.readouterr().err.split()
    )


def test_a_training_that_does_not_fit_says_what_would(sized: Project, printed: Callable[..., str]) -> None:
    text = printed("estimate", "--recipe", "full", status=1)
    assert "that this machine has: it does not fit\n" in text
    assert "what would fit: train.shared.batch_rows: 4; a recipe that trains 4 layers;" in text


def test_a_program_reads_bytes_and_seconds(sized: Project, printed: Callable[..., str]) -> None:
    document = json.loads(printed("estimate", "--recipe", "full", "--device", "L4", "--format", "json"))
    memory = document["memory"]
    assert memory["free"] == 24_000_000_000
    assert memory["weights"] == 4 * document["parameters"] == 4 * document["trained_parameters"]
    assert (
        memory["total"] == memory["runtime"] + memory["weights"] + memory["optimizer"] + memory["activations"]
    )
    assert (document["fits"], document["would_fit"], document["seconds"]) == (True, [], None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "loar"], "--recipe: unknown_recipe: found no recipe 'loar', expected one of adapter, .*; did you mean 'lora'"),
        (["--recipe", "lora", "--device", "h10"], "did you mean 'h100'"),
        (["--recipe", "lora", "--base", "lost"], "lost: base_model: found no weights, expected a transformer in"),
        (["--recipe", "lora", "--base", "params.yaml"], "found weights of an unknown kind"),
    ],
)  # fmt: skip
def test_a_name_that_is_not_known_is_an_error_of_one_sentence(
    arguments: list[str], message: str, sized: Project, printed: Callable[..., str]
) -> None:
    assert re.search(message, printed("estimate", *arguments, status=1))


def test_another_base_is_measured(sized: Project, printed: Callable[..., str]) -> None:
    write_header(Path("other/model.safetensors"), list_llama_shapes(1, 8, 16, 4, 100))
    assert printed("estimate", "--recipe", "lora", "--base", "other").startswith("lora on other: 0.0 million")
