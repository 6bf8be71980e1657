from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from stages.validate.validation import validate_suites

TABLES = {
    "good": pd.DataFrame({"id": ["a", "b"]}),
    "bad": pd.DataFrame({"id": ["a", "a"]}),
}
SUITES: dict[str, dict[str, Any]] = {
    name: {
        "name": name,
        "expectations": [
            {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "id"}, "severity": "critical"}
        ],
        "meta": {},
    }
    for name in TABLES
}


def list_pages(docs: Path) -> set[str]:
    return {page.parent.name if page.name != "index.html" else "" for page in docs.rglob("*.html")}


def test_great_expectations_judges_the_suites_with_broken_rows_and_writes_their_pages(tmp_path: Path) -> None:
    good, bad = validate_suites(SUITES, TABLES, {}, {}, tmp_path / "docs")
    assert (good.passed, good.found, good.message) == (True, 0, "")
    assert (bad.passed, bad.found) == (False, 2)
    assert "2 rows, such as id=a; id=a" in bad.message
    index = (tmp_path / "docs" / "index.html").read_text("utf-8")
    assert "expectations/bad.html" in index
    assert "expectations/good.html" not in index


def test_all_pages_come_from_great_expectations_with_the_same_results(tmp_path: Path) -> None:
    results = validate_suites(SUITES, TABLES, {}, {}, tmp_path / "docs", all_pages=True)
    assert results == validate_suites(SUITES, TABLES, {}, {}, tmp_path / "other")
    index = (tmp_path / "docs" / "index.html").read_text("utf-8")
    assert "expectations/bad.html" in index
    assert "expectations/good.html" in index


def test_suites_that_are_met_are_judged_without_importing_great_expectations(tmp_path: Path) -> None:
    (tmp_path / "docs" / "validations").mkdir(parents=True)
    (tmp_path / "docs" / "validations" / "old.html").write_text("old", encoding="utf-8")
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.validate.test_validation import SUITES, TABLES, validate_suites\n"
        f"validate_suites({{'good': SUITES['good']}}, TABLES, {{}}, {{}}, Path({str(tmp_path / 'docs')!r}))\n"
        "print('great_expectations' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert [page.name for page in (tmp_path / "docs").rglob("*.html")] == ["index.html"]
