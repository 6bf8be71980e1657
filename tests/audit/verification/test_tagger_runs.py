"""Runs of the recipe `tagger` as `exemplars verify` sees them: intact, and changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from exemplars.core import layout
from exemplars.core.digests import hash_content
from exemplars.core.files import write_bytes
from exemplars.core.tables import write_table
from exemplars.dataset.catalog import encode_catalog
from exemplars.dataset.row_tables import exemplars_to_table
from tests.audit.verification.checked_runs import find_run_problems
from tests.models.tagger.rows import ROWS, SKILLS, make_row
from tests.train.tagger.trained import train_tiny

pytest.importorskip("torch")
LONG = make_row("ring " * 60, "call", name="long")
OTHER = make_row("what is the weather", "weather")
OUTS = (
    "models/tagger/manifest.json",
    *(f"data/splits/{name}.parquet" for name in ("train", "validation", "test")),
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a tagger that left out one row."""
    root = tmp_path_factory.mktemp("verify")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        train_tiny(rows=[*ROWS, LONG], shared={"max_steps": 2})
        write_bytes(layout.CATALOG, encode_catalog(SKILLS))
        for name, rows in {"train": [*ROWS, LONG], "validation": [*ROWS, LONG], "test": [OTHER]}.items():
            write_table(layout.split(name), exemplars_to_table(rows))
    return root


def find_problems() -> list[str]:
    return [f"{problem.path}: {problem.code}: {problem.found}" for problem in find_run_problems(OUTS)]


def test_a_tagger_that_was_not_touched_has_no_problem(project: Path) -> None:
    assert find_problems() == []


def edit_manifest(key: str, value: object) -> None:
    path = Path("models/tagger/manifest.json")
    path.write_text(json.dumps({**json.loads(path.read_bytes()), key: value}))


def edit_rows(change: Callable[[list[str]], list[str]]) -> None:
    path = Path("models/tagger/rows.txt")
    data = "".join(f"{digest}\n" for digest in sorted(change(path.read_text().split()))).encode()
    path.write_bytes(data)
    edit_manifest("rows_sha256", hash_content(data))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda: edit_rows(lambda rows: [*rows, OTHER.digest]),
            "models/tagger/rows.txt: leaked: 1 row(s) of the test split: ",
        ),
        (
            lambda: edit_rows(lambda rows: rows[1:]),
            "models/tagger/rows.txt: wrong_rows: 2 row digest(s) missing, 1 of them in the ledger: ",
        ),
        (
            lambda: edit_rows(lambda rows: [*rows, "f" * 64]),
            "models/tagger/rows.txt: wrong_rows: 1 row digest(s) not in the train split: ",
        ),
        (
            lambda: write_table(layout.split("validation"), exemplars_to_table(ROWS)),
            "models/tagger/manifest.json: data_hashes.validation: wrong_manifest: ",
        ),
        (
            lambda: write_bytes(layout.CATALOG, encode_catalog(SKILLS[:2])),
            "models/tagger/manifest.json: run: wrong_manifest: tagger-",
        ),
        (
            lambda: edit_manifest("params", {"recipe": {"method": "tagger", "epochs": 0}}),
            "models/tagger/manifest.json: params: wrong_manifest: Expected `int` >= 1",
        ),
        (
            lambda: Path("reports/details/train/tagger.json").unlink(),
            "reports/details/train/tagger.json: wrong_report: ",
        ),
    ],
)
def test_what_was_changed_is_found(project: Path, change: Callable[[], None], problem: str) -> None:
    change()
    assert [line for line in find_problems() if line.startswith(problem)], find_problems()
