"""Changes whose MD5 was corrected in `dvc.lock`, and the problems that reveal them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import write_table


def flip_bit(data: bytes, place: int, bit: int) -> bytes:
    return data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]


def edit_rows(change: Callable[[list[dict[str, Any]]], None]) -> Callable[[Path], bytes]:
    """Make an edit of a table of exemplars."""

    def edit(path: Path) -> bytes:
        rows = pq.read_table(path).to_pylist()
        change(rows)
        place = path.with_suffix(".other")
        write_table(place, pa.Table.from_pylist(rows, schema=EXEMPLAR_SCHEMA))
        data = place.read_bytes()
        place.unlink()
        return data

    return edit


def edit_json(change: Callable[[Any], None]) -> Callable[[Path], bytes]:
    def edit(path: Path) -> bytes:
        document = json.loads(path.read_bytes())
        change(document)
        return json.dumps(document).encode()

    return edit


def change_utterance(rows: list[dict[str, Any]]) -> None:
    rows[3]["utterance"] += "!"


def change_span(rows: list[dict[str, Any]]) -> None:
    argument = next(argument for row in rows for argument in row["arguments"] if argument["start"])
    argument["start"] -= 1


def change_group(rows: list[dict[str, Any]]) -> None:
    rows[0]["group"] = "mine"


HIDDEN: dict[str, tuple[str, Callable[[Path], bytes], dict[str, str]]] = {
    "a changed raw file": (
        "data/raw/skills/call.md",
        lambda path: path.read_bytes().replace(b"Ring", b"ring", 1),
        {"data/raw/skills/call.md": "changed_source"},
    ),
    "a changed utterance": (
        "data/curated/exemplars.parquet",
        edit_rows(change_utterance),
        {"data/curated/exemplars.parquet": "wrong_digest"},
    ),
    "a changed span": (
        "data/exemplars/exemplars.parquet",
        edit_rows(change_span),
        {"data/exemplars/exemplars.parquet": "wrong_span"},
    ),
    "a lost row": (
        "data/exemplars/exemplars.parquet",
        edit_rows(lambda rows: rows.pop(5)),
        {"stage compile": "lost_rows", "reports/compile.json": "wrong_count"},
    ),
    "a duplicated row": (
        "data/curated/exemplars.parquet",
        edit_rows(lambda rows: rows.append(rows[2])),
        {"data/curated/exemplars.parquet": "doubled_rows", "reports/curate.json": "wrong_count"},
    ),
    "a row with an unknown mode": (
        "data/splits/test.parquet",
        edit_rows(lambda rows: rows[0].update(mode="shouted")),
        {"data/splits/test.parquet": "unreadable_table"},
    ),
    "a changed group": (
        "data/splits/train.parquet",
        edit_rows(change_group),
        {"data/splits/manifest.json": "wrong_manifest"},
    ),
    "a changed data hash": (
        "data/splits/manifest.json",
        edit_json(lambda document: document["splits"]["test"].update(data_hash="0" * 64)),
        {"data/splits/manifest.json": "wrong_manifest"},
    ),
    "a changed learning rate": (
        "models/lora/manifest.json",
        edit_json(lambda document: document["params"]["recipe"].update(learning_rate=0.5)),
        {"models/lora/manifest.json": "wrong_manifest"},
    ),
    "a changed base": (
        "models/lora/manifest.json",
        edit_json(lambda document: document.update(base_sha256="0" * 64)),
        {"models/lora/manifest.json": "wrong_manifest"},
    ),
    "fewer rows seen": (
        "models/lora/rows.txt",
        lambda path: b"".join(path.read_bytes().splitlines(keepends=True)[1:]),
        {"models/lora/rows.txt": "wrong_rows"},
    ),
    "changed weights": (
        "models/lora/weights/adapter_model.safetensors",
        lambda path: flip_bit(path.read_bytes(), 2000, 3),
        {"models/lora/weights": "wrong_weights"},
    ),
    "changed counts": (
        "reports/split.json",
        edit_json(lambda document: document["rows"].update(train=1)),
        {"reports/split.json": "wrong_count"},
    ),
    "a changed run name": (
        "reports/train.json",
        edit_json(lambda document: document.update(run="lora-0-0")),
        {"reports/train.json": "wrong_count"},
    ),
}
"""By kind of change: the file, the edit, and the code of a problem by the path that it names."""
