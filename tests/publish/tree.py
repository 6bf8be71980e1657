"""A small project that went through all stages before `publish`: two sources, three splits and a model."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from exemplars.core import layout
from exemplars.core.digests import hash_split
from exemplars.core.files import write_bytes, write_json
from exemplars.core.params import load_section
from exemplars.core.records import Exemplar, Reason, Rejection, ReviewItem
from exemplars.core.tables import rows_to_table, write_table
from exemplars.dataset.row_tables import exemplars_to_table, rejections_to_table
from exemplars.models.rows import Prediction
from stages.publish.facts import ReleaseFacts, gather_facts
from stages.publish.inputs import read_artifacts, read_inputs
from stages.publish.params import PublishParams
from tests.curate.rows import make_argument, make_row
from tests.runs import make_manifest

EVIL = "play <script>alert(1)</script> | now"
PIPELINE = """
stages:
  ingest:
    foreach: ${ingest.sources}
    do:
      desc: Reads the source ${key}.
      cmd: python -m stages.ingest ${key}
      deps: ["${item.path}", stages/ingest]
      outs: ["data/records/${key}.parquet"]
  split:
    cmd: python -m stages.split
    deps: [data/records, stages/split]
    outs: [data/splits/train.parquet, data/splits/validation.parquet, data/splits/test.parquet]
    metrics: [reports/split.json: {cache: false}]
  train:
    cmd: python -m stages.train
    deps: [data/splits]
    outs: [models/lora/weights, "models/lora/manifest.json"]
  publish:
    cmd: python -m stages.publish
    deps: [data/splits, dvc.yaml]
    outs: [reports/croissant.json: {cache: false}, reports/dataset.html, reports/openlineage.jsonl]
"""
PARAMS: dict[str, Any] = {
    "name": "small-set",
    "title": "A small *set*",
    "description": "Requests to call and to play.",
    "version": "1.2.3",
    "released": "2026-10-02",
    "url": "https://example.org/small-set",
    "publisher": {"name": "Somebody", "contact": "somebody@example.org"},
    "languages": ["en"],
    "intended_use": ["Tests."],
    "limits": ["It is small."],
    "sources": {
        "forum": {
            "about": "Posts.",
            "kind": "public",
            "authors": "The forum",
            "url": "https://example.org/forum",
        }
    },
}
FIGURE = {"value": 0.5, "low": 0.25, "high": 0.75}
SYSTEM = dict.fromkeys(("exact_match", "skill_accuracy", "argument_f1", "hallucinated_functions"), FIGURE)


def make_exemplars(licenses: dict[str, str]) -> dict[str, list[Exemplar]]:
    """Make two train rows of each source, and a validation row and a test row of the first source."""
    splits: dict[str, list[Exemplar]] = {"train": [], "validation": [], "test": []}
    for number, (source, license) in enumerate(licenses.items()):
        texts = {"train": (f"call {source}", f"ring {source}, {EVIL}"), "validation": (f"dial {source}",)}
        for split, utterances in {**texts, "test": (f"phone {source}",)}.items():
            for text in utterances if split == "train" or not number else ():
                exemplar = make_row(
                    text, text, arguments=(make_argument("who", source, text),), before=("Hello?",)
                )
                splits[split].append(
                    msgspec.structs.replace(exemplar, id=f"{source}:{text}", source=source, license=license)
                )
    return splits


def write_tree(
    root: Path, licenses: dict[str, str], publish: dict[str, Any] | None = None, model: bool = True
) -> None:
    """Write the project.

    licenses: of the sources, by name. publish: more keys for that section of `params.yaml`.
    """
    splits = make_exemplars(licenses)
    exemplars = sorted((row for rows in splits.values() for row in rows), key=lambda row: row.id)
    sources = {name: {"path": f"raw/{name}", "license": license} for name, license in licenses.items()}
    params = {"ingest": {"sources": sources}, "publish": {**PARAMS, **(publish or {})}}
    write_json(root / "params.yaml", params)
    write_bytes(root / "dvc.yaml", PIPELINE.encode())
    for name in licenses:
        write_bytes(root / f"raw/{name}/a.md", f"what {name} says\n".encode())
        write_table(
            root / layout.records(name), exemplars_to_table([row for row in exemplars if row.source == name])
        )
    origin = exemplars[0].origin
    rejection = Rejection(
        "x", next(iter(licenses)), "compile", Reason.VALUE_NOT_FOUND, "message", origin, "g"
    )
    write_table(root / layout.CURATED, exemplars_to_table(exemplars))
    write_table(root / layout.REVIEW, rows_to_table([], ReviewItem))
    for path, ledger in ((layout.EXEMPLARS, [rejection]), (layout.CURATED, []), (layout.MANIFEST, [])):
        write_table(root / layout.ledger_path(path), rejections_to_table(ledger))
    manifest = {}
    for name, rows in splits.items():
        write_table(root / layout.split(name), exemplars_to_table(rows))
        data_hash = hash_split(row.digest for row in rows)
        manifest[name] = {"rows": len(rows), "groups": len(rows), "data_hash": data_hash}
    write_json(root / layout.MANIFEST, {"splits": manifest})
    for name, report in make_reports(exemplars, licenses).items():
        write_json(root / layout.details(name), report)
    association = {"dimension": "gender", "rows": 3, "effect": 0.5, "p_value": 0.25}
    representativeness = {"slices": [], "coverage": [], "balance": [], "associations": [association]}
    write_json(root / layout.REPRESENTATIVENESS, representativeness)
    if model:
        write_model(root, splits["train"])


def make_reports(exemplars: list[Exemplar], licenses: dict[str, str]) -> dict[str, Any]:
    """Make the reports of the stages, with the keys that the documents use."""
    counts = {name: sum(row.source == name for row in exemplars) for name in licenses}
    counts[next(iter(licenses))] += 1
    return {
        "compile": {
            "records": len(exemplars) + 1,
            "records_by_source": counts,
            "grounding": {"verbatim": len(exemplars)},
        },
        "curate": {
            "duplicates": {"pairs": {}, "clusters": 0, "clustered_rows": 2},
            "conflicts": 0,
            "label_noise": "off",
            "quality_flags": {},
            "review": {"quality": 1},
            "personal_data": {"labelled": {"person": 1}, "unlabelled": {"phone": 2}},
            "mentions": {"gender: female": 3},
        },
        "split": {"leaked": 0},
        "validate": {"expectations": 5, "failed_critical": 0, "failed_warning": 1, "results": []},
    }


def write_model(root: Path, train: list[Exemplar]) -> None:
    """Write an evaluated run on the train rows and on a row that is no longer in train."""
    folder = root / layout.model("lora")
    digests = sorted([*(row.digest for row in train), "0" * 64])
    rows = "".join(f"{digest}\n" for digest in digests).encode()
    write_bytes(folder / "rows.txt", rows)
    write_bytes(folder / "weights/adapter.safetensors", b"weights")
    manifest = make_manifest(
        data_hashes={"train": hash_split(digests)}, rows_sha256=hashlib.sha256(rows).hexdigest()
    )
    write_json(folder / "manifest.json", manifest)
    figures = {
        "systems": {"lora": {**SYSTEM, "no_call_recall": FIGURE, "well_formed": FIGURE}},
        "reference_against": {},
        "slices": {},
    }
    evaluation = {
        "runs": {"lora": {"run": "lora-1-2", "role": "language_model"}},
        "rows": 1,
        "retrieval": {"by": "words", "tools": 5, "figures": {}},
        "reference": "lora",
        "conditions": {"oracle": figures, "end_to_end": figures},
    }
    write_json(root / layout.details("evaluate"), evaluation)
    write_table(root / layout.PREDICTIONS, rows_to_table([], Prediction))


def read_facts() -> ReleaseFacts:
    """Gather the facts of the project in the current folder."""
    inputs = read_inputs()
    return gather_facts(load_section("publish", PublishParams), inputs, read_artifacts(inputs.manifest))
