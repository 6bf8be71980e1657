"""The document as the format's own program and library read it, without a network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exemplars.core import layout
from exemplars.core.files import write_json
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from stages.publish import paths
from stages.publish.croissant import DESCRIPTIONS, build_croissant
from stages.publish.facts import ReleaseFacts
from tests.publish.tree import EVIL


@pytest.fixture
def document(facts: ReleaseFacts, project: Path) -> dict[str, Any]:
    croissant = build_croissant(facts)
    write_json(project / paths.CROISSANT, croissant)
    return croissant


def test_files_are_named_relative_to_the_document_with_their_hashes(
    facts: ReleaseFacts, document: dict[str, Any]
) -> None:
    train = document["distribution"][0]
    assert train["contentUrl"] == "../data/splits/train.parquet"
    assert train["sha256"] == facts.splits[0].file.sha256
    assert document["license"] == [
        "https://spdx.org/licenses/CC-BY-SA-4.0",
        "LicenseRef-notes",
        "https://spdx.org/licenses/MIT",
    ]


def test_every_column_is_described() -> None:
    assert list(DESCRIPTIONS) == EXEMPLAR_SCHEMA.names


@pytest.mark.usefixtures("document")
def test_the_validator_of_the_format_accepts_the_document() -> None:
    program = Path(sys.executable).with_name("mlcroissant")
    command = [program, "validate", "--jsonld", str(paths.CROISSANT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Done." in done.stderr
    assert "warning" not in done.stderr.lower()


@pytest.mark.usefixtures("document")
def test_the_library_of_the_format_loads_all_rows() -> None:
    import mlcroissant

    dataset = mlcroissant.Dataset(paths.CROISSANT.as_posix())
    rows = {name: list(dataset.records(name)) for name in ("train", "validation", "test")}
    assert {name: len(records) for name, records in rows.items()} == {"train": 4, "validation": 1, "test": 1}
    [row] = [record for record in rows["train"] if record["train/id"] == f"forum:ring forum, {EVIL}".encode()]
    assert row["train/utterance"] == f"ring forum, {EVIL}".encode()
    assert row["train/license"] == b"CC-BY-SA-4.0"
    assert row["train/service"] is None
    assert row["train/origin"]["train/origin/path"] == b"a.md"
    assert row["train/context"] == [
        {"train/context/speaker": b"assistant", "train/context/utterance": b"Hello?"}
    ]
    [argument] = row["train/arguments"]
    assert (argument["train/arguments/slot"], argument["train/arguments/start"]) == (b"who", 5)


@pytest.mark.usefixtures("document")
def test_a_changed_file_is_noticed() -> None:
    import mlcroissant

    path = layout.split("test")
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(mlcroissant._src.core.issues.GenerationError) as caught:
        list(mlcroissant.Dataset(paths.CROISSANT.as_posix()).records("test"))
    assert "is not identical with the reference" in str(caught.value.__cause__)


def test_an_empty_split_is_left_out(facts: ReleaseFacts) -> None:
    empty = msgspec.structs.replace(facts.splits[1], declared=())
    croissant = build_croissant(msgspec.structs.replace(facts, splits=(facts.splits[0], empty)))
    assert [records["@id"] for records in croissant["recordSet"]] == ["train"]
    assert [file["@id"] for file in croissant["distribution"]] == ["train.parquet"]
