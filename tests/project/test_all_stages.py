"""Every stage, on a project as `exemplars init` makes it: one skill, five examples, a tiny model."""

from __future__ import annotations

import datetime
import json
import sys
from importlib import import_module
from pathlib import Path

import pytest

from exemplars.project.scaffold import build_project, write_project
from tests.tiny import save_tiny, save_tiny_encoder

STAGES = (
    *("ingest hotel", "compile", "curate", "split", "validate", "render"),
    *("train retriever", "train tagger", "train lora", "evaluate", "publish"),
)
TINY = {
    "render: {}": "render: {base: {from: folder, path: base, license: MIT}, max_tokens: 500}",
    "tagger: splits, lora: training}, shared: {}, recipes: {}": "tagger: splits, lora: training}, "
    "shared: {max_steps: 2, log_every: 1, validation_rows: 2}, "
    "recipes: {lora: {method: lora, rank: 2, alpha: 4, learning_rate: 1.0e-3}, "
    "retriever: {method: retriever, steps: 1, max_tokens: 64, encoder: {from: folder, path: encoder, license: MIT}}, "
    "tagger: {method: tagger, epochs: 1, max_tokens: 64, encoder: {from: folder, path: encoder, license: MIT}}}",
    "evaluate: {}": "evaluate: {compare: [base, knn, runs, cascade], max_new_tokens: 8, "
    "text_metrics: false, resamples: 50}",
}


def run_stages(root: Path, skills: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(root, build_project("hotel", skills, "skills", datetime.date(2026, 11, 27)))
    monkeypatch.chdir(root)
    save_tiny(Path("base"))
    save_tiny_encoder(Path("encoder"))
    text = Path("params.yaml").read_text("utf-8")
    for before, after in TINY.items():
        assert text.count(before) == 1
        text = text.replace(before, after)
    Path("params.yaml").write_text(text, "utf-8")
    for stage, *keys in map(str.split, STAGES):
        monkeypatch.setattr(sys, "argv", [f"stages.{stage}", *keys])
        import_module(f"stages.{stage}.__main__").main()


def test_a_project_of_one_skill_passes_all_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_stages(tmp_path / "hotel", ["book_room"], monkeypatch)
    details = json.loads(Path("reports/details/evaluate.json").read_bytes())
    systems = ["base", "cascade", "knn", "lora", "lora_constrained", "tagger"]
    assert {name: sorted(part["systems"]) for name, part in details["conditions"].items()} == {
        "oracle": systems,
        "end_to_end": systems,
    }
    page = Path("reports/dataset.html").read_text("utf-8")
    card = Path("reports/card/README.md").read_text("utf-8")
    assert "NaN" not in card
    assert "Hotel" in card and "Hotel" in page
    assert "not stated" in Path("reports/training_content_summary.md").read_text("utf-8")
