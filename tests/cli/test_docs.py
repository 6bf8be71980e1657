from __future__ import annotations

import re

import pytest

from exemplars.cli.main import main
from tests.conftest import PROJECT


def test_the_pages_are_listed_with_their_titles(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "formats/jsonl                        Labeled JSONL" in lines
    assert len(lines) == len(list(PROJECT.glob("docs/**/*.md")))


@pytest.mark.parametrize("page", ["formats/jsonl", "docs/formats/jsonl.md"])
def test_a_page_is_printed(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", page]) == 0
    assert capsys.readouterr().out == (PROJECT / "docs/formats/jsonl.md").read_text("utf-8")


def test_an_unknown_page_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", "formats/json"]) == 1
    assert (
        "found no page 'formats/json', expected a page; did you mean 'formats/jsonl'?"
        in capsys.readouterr().err
    )


def test_every_page_that_the_code_names_comes_with_the_package() -> None:
    names = {
        name
        for folder in ("exemplars", "stages")
        for path in (PROJECT / folder).rglob("*.py")
        for name in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text("utf-8"))
    }
    assert names
    assert [name for name in sorted(names) if not (PROJECT / "exemplars" / name).is_file()] == []
