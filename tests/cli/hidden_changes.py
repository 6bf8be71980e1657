"""Changes whose MD5 somebody corrected in `dvc.lock`, and what gives them away."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import write_table


def flipped(data: bytes, place: int, bit: int) -> bytes:
    return data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]


def edited_rows(change: Callable[[list[dict[str, Any]]], None]) -> Callable[[Path], bytes]:
    """A table of exemplars with other rows."""

    def edit(path: Path) -> bytes:
        rows = pq.read_table(path).to_pylist()
        change(rows)
        place = path.with_suffix(".other")
        write_table(place, pa.Table.from_pylist(rows, schema=EXEMPLAR_SCHEMA))
        data = place.read_bytes()
        place.unlink()
        return data

    return edit


def edited_json(change: Callable[[Any], None]) -> Callable[[Path], bytes]:
    def edit(path: Path) -> bytes:
        document = json.loads(path.read_bytes())
        change(document)
        return json.dumps(document).encode()

    return edit


def other_utterance(rows: list[dict[str, Any]]) -> None:
    rows[3]["utterance"] += "!"


def other_span(rows: list[dict[str, Any]]) -> None:
    argument = next(one for row in rows for one in row["arguments"] if one["start"])
    argument["start"] -= 1


def other_group(rows: list[dict[str, Any]]) -> None:
    rows[0]["group"] = "mine"


HIDDEN: dict[str, tuple[str, Callable[[Path], bytes], dict[str, str]]] = {
    "another raw file": (
        "data/raw/skills/call.md",
        lambda path: path.read_bytes().replace(b"Ring", b"ring", 1),
        {"data/raw/skills/call.md": "changed_source"},
    ),
    "another utterance": (
        "data/curated/exemplars.parquet",
        edited_rows(other_utterance),
        {"data/curated/exemplars.parquet": "wrong_digest"},
    ),
    "another span": (
        "data/exemplars/exemplars.parquet",
        edited_rows(other_span),
        {"data/exemplars/exemplars.parquet": "wrong_span"},
    ),
    "a lost row": (
        "data/exemplars/exemplars.parquet",
        edited_rows(lambda rows: rows.pop(5)),
        {"stage compile": "lost_rows", "reports/compile.json": "wrong_count"},
    ),
    "a doubled row": (
        "data/curated/exemplars.parquet",
        edited_rows(lambda rows: rows.append(rows[2])),
        {"data/curated/exemplars.parquet": "doubled_rows", "reports/curate.json": "wrong_count"},
    ),
    "a row of unknown mode": (
        "data/splits/test.parquet",
        edited_rows(lambda rows: rows[0].update(mode="shouted")),
        {"data/splits/test.parquet": "unreadable_table"},
    ),
    "another group": (
        "data/splits/train.parquet",
        edited_rows(other_group),
        {"data/splits/manifest.json": "wrong_manifest"},
    ),
    "another data hash": (
        "data/splits/manifest.json",
        edited_json(lambda one: one["splits"]["test"].update(data_hash="0" * 64)),
        {"data/splits/manifest.json": "wrong_manifest"},
    ),
    "another learning rate": (
        "models/lora/manifest.json",
        edited_json(lambda one: one["params"]["recipe"].update(learning_rate=0.5)),
        {"models/lora/manifest.json": "wrong_manifest"},
    ),
    "another base": (
        "models/lora/manifest.json",
        edited_json(lambda one: one.update(base_sha256="0" * 64)),
        {"models/lora/manifest.json": "wrong_manifest"},
    ),
    "fewer rows seen": (
        "models/lora/rows.txt",
        lambda path: b"".join(path.read_bytes().splitlines(keepends=True)[1:]),
        {"models/lora/rows.txt": "wrong_rows"},
    ),
    "other weights": (
        "models/lora/weights/adapter_model.safetensors",
        lambda path: flipped(path.read_bytes(), 2000, 3),
        {"models/lora/weights": "wrong_weights"},
    ),
    "other counts": (
        "reports/split.json",
        edited_json(lambda one: one["rows"].update(train=1)),
        {"reports/split.json": "wrong_count"},
    ),
    "another run": (
        "reports/train.json",
        edited_json(lambda one: one.update(run="lora-0-0")),
        {"reports/train.json": "wrong_count"},
    ),
}
"""By what was done: the file, how it is changed, and a code of problem by what is named."""
