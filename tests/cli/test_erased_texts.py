"""After redact, repro, commit and purge, nothing that was derived from an erased row is left, in any form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest

from exemplars.cli.main import main
from exemplars.core.ids import strip_derived
from tests.cli.planted_project import DIALOGUE, MARKERS, PlantedProject

pytest.importorskip("trl")
EVERYWHERE = ("data", "reports", "models", ".dvc", "../remote")


class Derived(NamedTuple):
    """What tables have of the planted rows, by a search that shares no code with `exemplars erase`."""

    ids: set[str]
    utterances: set[str]
    token_ids: set[tuple[int, ...]]


class Erased(NamedTuple):
    """A project after the purge, and what was found before and after it."""

    project: PlantedProject
    before: Derived
    statuses: list[int]
    receipt: dict[str, Any]


def read_rows(paths: list[Path]) -> Iterator[dict[str, Any]]:
    """Read all rows of all tables among the files."""
    for path in paths:
        if path.read_bytes()[:4] == b"PAR1":
            yield from pq.ParquetFile(path).read().to_pylist()


def read_derived(project: PlantedProject, ids: set[str]) -> Derived:
    """Collect what tables have of the rows with these ids, but for what other rows have, too."""
    derived, others = Derived(ids, set(), set()), Derived(ids, set(), set())
    for row in read_rows(project.list_files("data")):
        row_id = strip_derived(row.get("exemplar_id") or row.get("id") or "")
        target = derived if row_id in ids else others
        target.utterances.add(row.get("utterance") or "")
        target.token_ids.add(tuple(row.get("input_ids") or ()))
    return Derived(ids, derived.utterances - others.utterances, derived.token_ids - others.token_ids)


@pytest.fixture(scope="module")
def erased(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Erased]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("EXEMPLARS_ERASURE_KEY", "a key of the tests, long enough")
        monkeypatch.setenv("EXEMPLARS_SURROGATE_KEY", "another key of the tests, long enough")
        root = tmp_path_factory.mktemp("planted") / "project"
        root.mkdir()
        project = PlantedProject(root)
        project.build(monkeypatch)
        project.dvc("remote", "add", "-d", "store", "../remote")
        assert project.dvc("push").returncode == 0
        yield erase(project, monkeypatch)


def erase(project: PlantedProject, monkeypatch: pytest.MonkeyPatch) -> Erased:
    """Follow docs/erase.md: tombstones, redact, a bot's file by hand, repro, commit, push, purge."""
    rules = [{"place": place} for place in project.planted_places()]
    rules += [{"pattern": "Ignatiusz|Cunegonde"}, {"pattern": "Melisande"}, {"dialogue": DIALOGUE}]
    lines = [
        json.dumps({"id": f"t{number}", **rule, "reviewer": "Kim", "reason": "asked for it"})
        for number, rule in enumerate(rules)
    ]
    (project.root / "data/raw/erasures.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    planted = {
        row["id"]
        for row in read_rows(project.list_files("data/records"))
        if row["id"] in project.planted_places()
        or row["group"].endswith(DIALOGUE)
        or any(name in (row["utterance"] or "") for name in ("Ignatiusz", "another by the same", "Melisande"))
    }
    before = read_derived(project, planted)
    assert missing_markers(project) == []
    statuses = [main(["erase", "--redact", "--yes"])]
    project.edit_bot(add=False)
    project.reproduce(monkeypatch)
    assert project.dvc("push").returncode == 0
    statuses.append(main(["erase", "--purge", "--all-revisions", "--yes"]))
    (path,) = (project.root / "reports/erasures").glob("*.json")
    return Erased(project, before, statuses, json.loads(path.read_bytes()))


def missing_markers(project: PlantedProject) -> list[str]:
    """List the markers that are nowhere in the stores: the test would prove nothing about them."""
    found = {marker for markers in project.find_markers(".dvc", "data/raw").values() for marker in markers}
    return sorted(set(MARKERS) - found)


def test_no_byte_of_an_erased_text_is_left_in_any_form(erased: Erased) -> None:
    assert erased.project.find_markers(*EVERYWHERE) == {}
    assert erased.statuses == [1, 0]  # A bot's file had to be edited by hand before the purge.


def test_no_table_of_any_store_has_a_row_that_was_derived_from_an_erased_row(erased: Erased) -> None:
    ids, utterances, token_ids = erased.before
    assert (len(ids), len(utterances) >= 2 * 20, len(token_ids) >= 20) == (26, True, True)
    left = [
        row
        for row in read_rows(erased.project.list_files(*EVERYWHERE))
        if row.get("utterance") in utterances
        or tuple(row.get("input_ids") or ()) in token_ids
        or ids & {strip_derived(near) for near in row.get("nearest") or ()}
        or (
            strip_derived(row.get("exemplar_id") or row.get("id") or "") in ids
            and row.get("reason") != "erased"
        )
    ]
    assert left == []


def test_the_receipt_lists_what_was_searched_and_how(erased: Erased) -> None:
    receipt, searched = erased.receipt, erased.receipt["searched"]
    assert receipt["still_found"] == {"files": [], "objects": []}
    assert receipt["rows"] == 27
    assert len(receipt["removed_objects"]) == 46
    assert searched["by_identity"]["row_ids"] == 27
    assert sorted(searched["by_text"]) == [
        "context",
        "replaced text",
        "speech view",
        "template",
        "utterance",
        "value",
    ]
    assert {"utterance", "messages.content", "context.utterance", "predicted", "nearest"} <= set(
        searched["columns"]
    )
    assert sorted(searched["read"]) == ["the cache", "the remote store", "the workspace"]
    assert not any(marker in json.dumps(receipt, ensure_ascii=False) for marker in MARKERS)


def test_a_second_purge_finds_nothing(erased: Erased, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(erased.project.root)
    monkeypatch.setenv("EXEMPLARS_ERASURE_KEY", "a key of the tests, long enough")
    assert main(["erase", "--purge", "--all-revisions", "--yes"]) == 0
    last = max((erased.project.root / "reports/erasures").glob("*.json"))
    receipt = json.loads(last.read_bytes())
    assert (receipt["removed_objects"], receipt["still_found"]) == ([], {"files": [], "objects": []})


def test_originals_of_surrogates_are_purged_from_everything_but_the_raw_files_if_a_parameter_says_so(
    erased: Erased, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = erased.project
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("EXEMPLARS_ERASURE_KEY", "a key of the tests, long enough")

    def find_originals() -> list[str]:
        return sorted(project.find_markers(*EVERYWHERE, markers=["Whitlock"]))

    before = find_originals()
    assert [path for path in before if path.startswith("project/data")] == [
        "project/data/exemplars/exemplars.parquet",
        "project/data/raw/skills/call.md",
        "project/data/records/skills.parquet",
    ]
    assert len(before) == 3 + 2 + 2
    project.edit("params.yaml", "    originals: keep\n", "    originals: purge\n")
    assert main(["erase", "--purge", "--all-revisions", "--yes"]) == 0
    assert find_originals() == ["project/data/raw/skills/call.md"]
    assert not (project.root / "data/records/sgd.rejections.parquet").exists()
