"""51 changes whose hashes were corrected in `dvc.lock`, and the problems that reveal them."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from exemplars.core.digests import hash_row
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from exemplars.core.tables import write_table
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.dataset.templates import write_template
from exemplars.models.base_models import hash_model
from tests.cli.small_project import SmallProject

Edit = Callable[[Path], bytes]


class Found(StrEnum):
    """What finds a change: each finds what those before find, too."""

    CHECKS = "checks"
    """`exemplars verify --recompute none`."""
    FAST = "fast"
    """`exemplars verify`."""
    ALL = "all"
    """`exemplars verify --recompute`."""
    SIGNATURE = "signature"
    """`exemplars verify --attestation FILE --key FILE`."""


class Change(NamedTuple):
    """A consistent change: of files, with their hashes in `dvc.lock`, or of the lock itself."""

    found: Found
    path: str
    """What a problem must name."""
    code: str
    edits: dict[str, Edit]
    """By the path of the file."""
    lock: Callable[[dict[str, Any]], object] | None = None

    def make(self, project: SmallProject) -> None:
        """Make the change in a project."""
        for path, edit in self.edits.items():
            project.hide(path, edit(project.root / path))
        if self.lock is not None:
            project.edit_lock(self.lock)


def flip_bit(data: bytes, place: int, bit: int) -> bytes:
    return data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]


def edit_rows(change: Callable[[list[dict[str, Any]]], object]) -> Edit:
    """Make an edit of a table."""

    def edit(path: Path) -> bytes:
        table = pq.read_table(path)
        rows = table.to_pylist()
        change(rows)
        place = path.with_suffix(".other")
        write_table(place, pa.Table.from_pylist(rows, schema=table.schema))
        data = place.read_bytes()
        place.unlink()
        return data

    return edit


def edit_json(change: Callable[[Any], object]) -> Edit:
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


def edit_text(old: str, new: str) -> Edit:
    def edit(path: Path) -> bytes:
        text = path.read_text("utf-8")
        assert old in text, f"{old!r} is not in {path}"
        return text.replace(old, new, 1).encode()

    return edit


def set_in_row(number: int, **values: Any) -> Edit:
    """Make an edit of a row of a table."""
    return edit_rows(lambda rows: rows[number].update(values))


def change_answer(rows: list[dict[str, Any]]) -> None:
    call = next(call for row in rows for call in row["calls"] if call["answers"])
    call["answers"][0].update(value="something else", accepted=["something else"])


def change_tokens(rows: list[dict[str, Any]]) -> None:
    rows[0]["input_ids"][-1] += 1


def change_message(rows: list[dict[str, Any]]) -> None:
    rows[0]["messages"][-1]["content"] = "None"


def make_right(rows: list[dict[str, Any]]) -> None:
    """Make a wrong answer of the language model right, in all columns."""
    row = next(row for row in rows if row["system"] == "lora" and row["kind"] != "right")
    row.update(predicted=row["right"], kind="right")


def reword_wrong_answer(rows: list[dict[str, Any]]) -> None:
    """Change a malformed answer of the language model into another malformed one."""
    row = next(row for row in rows if row["system"] == "lora" and row["kind"] == "malformed")
    row["predicted"] = "((("


def change_value(rows: list[dict[str, Any]]) -> None:
    """Change an argument that the row says, with its utterance, span, template and digest."""
    row = next(row for row in rows if row["skill"] == "call" and row["arguments"])
    argument = row["arguments"][0]
    start, old = argument["start"], argument["surface"]
    row["utterance"] = row["utterance"][:start] + "Zoe" + row["utterance"][start + len(old) :]
    argument.update(surface="Zoe", value="Zoe", end=start + 3)
    row["arguments"] = [argument]
    (exemplar,) = exemplars_from_table(pa.Table.from_pylist([row], schema=EXEMPLAR_SCHEMA))
    row["exemplar"] = write_template(exemplar.utterance, exemplar.arguments)
    row["digest"] = hash_row(exemplar)


def replace_weights(path: Path) -> bytes:
    return flip_bit(path.read_bytes(), 2000, 3)


def correct_weights_hash(path: Path) -> bytes:
    document = json.loads(path.read_bytes())
    document["weights_sha256"] = hash_model(path.parent / "weights")
    return json.dumps(document).encode()


LORA = "models/lora/manifest.json"
ADAPTER = "models/lora/weights/adapter_model.safetensors"
HIDDEN: dict[str, Change] = {
    # Raw files and records.
    "a changed raw file": Change(
        Found.CHECKS,
        "data/raw/skills/call.md",
        "changed_source",
        {"data/raw/skills/call.md": edit_text("Ring", "ring")},
    ),
    "the license of records": Change(
        Found.FAST,
        "data/records/sgd.parquet",
        "other_output",
        {"data/records/sgd.parquet": edit_rows(lambda rows: [row.update(license="CC0-1.0") for row in rows])},
    ),
    "a message in a reader's ledger": Change(
        Found.FAST,
        "data/records/sgd.rejections.parquet",
        "other_output",
        {"data/records/sgd.rejections.parquet": set_in_row(0, message="found nothing")},
    ),
    "a description in a source's catalog": Change(
        Found.FAST,
        "data/records/skills.catalog.json",
        "other_output",
        {"data/records/skills.catalog.json": edit_text("Makes a phone call.", "Makes a call.")},
    ),
    "an expression of a recognizer": Change(
        Found.FAST,
        "data/records/bots.recognizers.json",
        "other_output",
        {"data/records/bots.recognizers.json": edit_text("French stick", "French loaf")},
    ),
    # Exemplars.
    "a changed utterance": Change(
        Found.CHECKS,
        "data/curated/exemplars.parquet",
        "wrong_digest",
        {"data/curated/exemplars.parquet": edit_rows(change_utterance)},
    ),
    "a changed span": Change(
        Found.CHECKS,
        "data/exemplars/exemplars.parquet",
        "wrong_span",
        {"data/exemplars/exemplars.parquet": edit_rows(change_span)},
    ),
    "a lost row": Change(
        Found.CHECKS,
        "stage compile",
        "lost_rows",
        {"data/exemplars/exemplars.parquet": edit_rows(lambda rows: rows.pop(5))},
    ),
    "a changed value with its span, template and digest": Change(
        Found.FAST,
        "data/exemplars/exemplars.parquet",
        "other_output",
        {
            "data/exemplars/exemplars.parquet": edit_rows(change_value),
            "data/curated/exemplars.parquet": edit_rows(change_value),
        },
    ),
    "the license of exemplars": Change(
        Found.FAST,
        "data/exemplars/exemplars.parquet",
        "other_output",
        {"data/exemplars/exemplars.parquet": set_in_row(7, license="CC0-1.0")},
    ),
    "a message in the ledger of compile": Change(
        Found.FAST,
        "data/exemplars/rejections.parquet",
        "other_output",
        {"data/exemplars/rejections.parquet": set_in_row(3, message="found nothing")},
    ),
    "a parameter in the catalog": Change(
        Found.FAST,
        "data/exemplars/catalog.json",
        "other_output",
        {"data/exemplars/catalog.json": edit_text("Makes a phone call.", "Makes a call.")},
    ),
    "a plot of compile": Change(
        Found.FAST,
        "reports/plots/compile-grounding.json",
        "other_output",
        {"reports/plots/compile-grounding.json": edit_json(lambda points: points[0].update(rows=1))},
    ),
    # Curation.
    "a duplicated row": Change(
        Found.CHECKS,
        "data/curated/exemplars.parquet",
        "doubled_rows",
        {"data/curated/exemplars.parquet": edit_rows(lambda rows: rows.append(rows[2]))},
    ),
    "a row that needs no review any more": Change(
        Found.ALL,
        "data/curated/review.parquet",
        "other_output",
        {"data/curated/review.parquet": edit_rows(lambda rows: rows.pop(0))},
    ),
    "a reason for review": Change(
        Found.ALL,
        "data/curated/review.parquet",
        "other_output",
        {"data/curated/review.parquet": set_in_row(0, detail="nothing")},
    ),
    "a pair of similar texts": Change(
        Found.ALL,
        "data/curated/pairs.parquet",
        "other_output",
        {"data/curated/pairs.parquet": edit_rows(lambda rows: rows.pop(0))},
    ),
    "a share of a slice": Change(
        Found.ALL,
        "data/curated/representativeness.json",
        "other_output",
        {"data/curated/representativeness.json": edit_json(lambda page: page["slices"][0].update(rows=1))},
    ),
    "a figure of curate": Change(
        Found.ALL,
        "reports/details/curate.json",
        "other_output",
        {
            "reports/details/curate.json": edit_json(
                lambda report: report["personal_data"]["unlabelled"].update(person=0)
            )
        },
    ),
    # Splits.
    "a row with an unknown mode": Change(
        Found.CHECKS,
        "data/splits/test.parquet",
        "unreadable_table",
        {"data/splits/test.parquet": set_in_row(0, mode="shouted")},
    ),
    "a changed group": Change(
        Found.CHECKS,
        "data/splits/manifest.json",
        "wrong_manifest",
        {"data/splits/train.parquet": edit_rows(change_group)},
    ),
    "a changed data hash": Change(
        Found.CHECKS,
        "data/splits/manifest.json",
        "wrong_manifest",
        {
            "data/splits/manifest.json": edit_json(
                lambda document: document["splits"]["test"].update(data_hash="0" * 64)
            )
        },
    ),
    "the salt of the splits": Change(
        Found.FAST,
        "data/splits/manifest.json",
        "other_output",
        {"data/splits/manifest.json": edit_json(lambda document: document.update(salt="mine"))},
    ),
    "changed counts": Change(
        Found.CHECKS,
        "reports/details/split.json",
        "wrong_count",
        {"reports/details/split.json": edit_json(lambda document: document["rows"].update(train=1))},
    ),
    "a changed metric": Change(
        Found.CHECKS,
        "reports/split.json",
        "wrong_count",
        {"reports/split.json": edit_json(lambda document: document.update(kept=1))},
    ),
    # Validation.
    "a bound of an expectation suite": Change(
        Found.CHECKS,
        "schemas/expectations/data.json",
        "uncommitted_code",
        {"schemas/expectations/data.json": edit_text("critical", "warning")},
    ),
    "a broken expectation less": Change(
        Found.ALL,
        "reports/validate.json",
        "other_output",
        {"reports/validate.json": edit_json(lambda report: report.update(failed_warning=0))},
    ),
    "a page of the data docs": Change(
        Found.ALL,
        "reports/data_docs/index.html",
        "other_output",
        {"reports/data_docs/index.html": lambda path: path.read_bytes() + b"<p>All is well.</p>"},
    ),
    # Chat rows.
    "a right answer": Change(
        Found.ALL,
        "data/training/test.parquet",
        "other_output",
        {"data/training/test.parquet": edit_rows(change_answer)},
    ),
    "a token": Change(
        Found.CHECKS,
        "models/lora/manifest.json",
        "wrong_manifest",
        {"data/training/train.parquet": edit_rows(change_tokens)},
    ),
    "a token of a test row": Change(
        Found.ALL,
        "data/training/test.parquet",
        "other_output",
        {"data/training/test.parquet": edit_rows(change_tokens)},
    ),
    "a message that the model learns": Change(
        Found.ALL,
        "data/training/train.parquet",
        "other_output",
        {"data/training/train.parquet": edit_rows(change_message)},
    ),
    "the license of the base": Change(
        Found.ALL,
        "data/training/base.json",
        "other_output",
        {"data/training/base.json": edit_json(lambda document: document.update(license="CC0-1.0"))},
    ),
    # Training.
    "a changed learning rate": Change(
        Found.CHECKS,
        LORA,
        "wrong_manifest",
        {LORA: edit_json(lambda document: document["params"]["recipe"].update(learning_rate=0.5))},
    ),
    "a changed base": Change(
        Found.CHECKS,
        LORA,
        "wrong_manifest",
        {LORA: edit_json(lambda page: page.update(base_sha256="0" * 64))},
    ),
    "fewer rows seen": Change(
        Found.CHECKS,
        "models/lora/rows.txt",
        "wrong_rows",
        {"models/lora/rows.txt": lambda path: b"".join(path.read_bytes().splitlines(keepends=True)[1:])},
    ),
    "changed weights": Change(
        Found.CHECKS, "models/lora/weights", "wrong_weights", {ADAPTER: replace_weights}
    ),
    "changed weights with their manifest": Change(
        Found.SIGNATURE, ADAPTER, "unattested", {ADAPTER: replace_weights, LORA: correct_weights_hash}
    ),
    "a logged loss": Change(
        Found.CHECKS,
        "reports/train/lora/plots/metrics/validation/loss.tsv",
        "wrong_losses",
        {"reports/train/lora/plots/metrics/validation/loss.tsv": lambda path: b"step\tloss\n2\t1.5\n"},
    ),
    "a loss in the report": Change(
        Found.CHECKS,
        "reports/details/train/lora.json",
        "wrong_count",
        {
            "reports/details/train/lora.json": edit_json(
                lambda report: report["losses"].update(validation_loss=1.5)
            )
        },
    ),
    "a loss in the metrics": Change(
        Found.CHECKS,
        "reports/train/lora.json",
        "wrong_count",
        {"reports/train/lora.json": edit_json(lambda report: report.update(validation_loss=1.5))},
    ),
    "a changed run name": Change(
        Found.CHECKS,
        "reports/details/train/lora.json",
        "wrong_count",
        {"reports/details/train/lora.json": edit_json(lambda document: document.update(run="lora-0-0"))},
    ),
    # Evaluation.
    "a figure of the evaluation": Change(
        Found.FAST,
        "reports/details/evaluate.json",
        "other_output",
        {
            "reports/details/evaluate.json": edit_json(
                lambda report: report["conditions"]["end_to_end"]["systems"]["lora"]["exact_match"].update(
                    value=0.9
                )
            )
        },
    ),
    "a metric of a system": Change(
        Found.FAST,
        "reports/evaluate",
        "other_output",
        {"reports/evaluate/end_to_end/lora.json": edit_json(lambda metrics: metrics.update(exact_match=0.9))},
    ),
    "an answer made right": Change(
        Found.FAST,
        "reports/details/evaluate.json",
        "other_output",
        {"data/evaluated/predictions.parquet": edit_rows(make_right)},
    ),
    "a wrong answer in other words": Change(
        Found.SIGNATURE,
        "data/evaluated/predictions.parquet",
        "unattested",
        {"data/evaluated/predictions.parquet": edit_rows(reword_wrong_answer)},
    ),
    # Documents.
    "a license in Croissant": Change(
        Found.ALL,
        "reports/croissant.json",
        "other_output",
        {"reports/croissant.json": edit_json(lambda document: document.update(license="CC0-1.0"))},
    ),
    "a sentence of the card": Change(
        Found.ALL,
        "reports/card/README.md",
        "other_output",
        {"reports/card/README.md": lambda path: path.read_bytes() + b"It has no faults.\n"},
    ),
    # Code and the lock.
    "the code of a stage": Change(
        Found.CHECKS,
        "stages/curate/curation.py",
        "uncommitted_code",
        {"stages/curate/curation.py": lambda path: path.read_bytes() + b"LIMIT = 3\n"},
    ),
    "a stage that is no longer in the lock": Change(
        Found.CHECKS, "dvc.lock", "missing_stage", {}, lambda lock: lock["stages"].pop("evaluate")
    ),
    "an output that is no longer in the lock": Change(
        Found.CHECKS, "dvc.lock", "other_stage", {}, lambda lock: lock["stages"]["train@lora"]["outs"].pop(0)
    ),
}
"""By kind of change."""
