"""The pages of the Data Docs, as Great Expectations writes them and as they are published."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from stages.validate.checkpoint import run_checkpoint
from stages.validate.pages import finish_pages, make_accessible, strip_page
from stages.validate.results import build_results
from tests.browser import SCREENS, browser, find_barriers

__all__ = ["browser"]

HOSTILE = '<img src="https://evil.example/x.png"><script src="//evil.example/x.js"></script>'
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


class Collector(HTMLParser):
    """Collects the tags of a page, and what its attributes name."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.policies: list[str | None] = []
        self.handlers: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("href", "src", "srcset", "data", "action", "poster", "background"):
                self.links.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)
        if tag == "meta" and dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.policies.append(dict(attrs).get("content"))

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    rule = {
        "type": "expect_column_values_to_be_in_set",
        "kwargs": {"column": "value", "value_set": ["a"]},
        "severity": "warning",
        "meta": {"notes": "what must hold"},
    }
    suites = {
        "rows": {"name": "rows", "expectations": [rule], "meta": {}},
        "others": {"name": "others", "expectations": [], "meta": {}},
    }
    table = pd.DataFrame({"id": ["r1", "r2"], "value": ["a", HOSTILE]})
    outcomes = run_checkpoint(suites, dict.fromkeys(suites, table), {}, folder)
    tables = dict.fromkeys(suites, table)
    finish_pages(folder, suites, build_results(suites, tables, outcomes, {}, {}))
    return folder


def test_pages_load_nothing_and_run_nothing(docs: Path) -> None:
    pages = sorted(docs.rglob("*.html"))
    assert len(pages) == 5
    for path in pages:
        page = Collector(path.read_text("utf-8"))
        assert (
            page.tags & {"script", "img", "link", "iframe", "object", "embed", "video", "base", "form"}
            == set()
        )
        assert page.policies == [POLICY]
        assert page.handlers == []
        assert "url(" not in path.read_text("utf-8")
        for link in page.links:
            assert link.startswith("#") or (path.parent / link.replace("%20", " ")).is_file()


def test_the_folder_has_pages_only(docs: Path) -> None:
    assert {path.suffix for path in docs.rglob("*") if path.is_file()} == {".html"}


def test_the_index_names_each_suite_with_its_result(docs: Path) -> None:
    page = Collector((docs / "index.html").read_text("utf-8"))
    assert " ".join(page.text.split("Pages")[1].split("Expectations")[0].split()) == (
        "met others the result , the expectations failed rows the result , the expectations"
    )
    assert page.links == [
        "validations/others/validate/20000101T000000.000000Z/dataset-others.html",
        "expectations/others.html",
        "validations/rows/validate/20000101T000000.000000Z/dataset-rows.html",
        "expectations/rows.html",
    ]


def test_the_index_lists_each_expectation_with_what_was_found_its_bound_and_the_margin(docs: Path) -> None:
    page = Collector((docs / "index.html").read_text("utf-8"))
    row = " ".join(page.text.split("Margin")[1].split())
    assert row.startswith("failed (a warning) rows: found 1 row, such as value=<img src=")
    assert row.endswith("expected what must hold; correct these rows in their source 1 0 -1")


def test_a_page_says_what_was_expected_and_found(docs: Path) -> None:
    text = Collector(
        (docs / "validations/rows/validate/20000101T000000.000000Z/dataset-rows.html").read_text("utf-8")
    ).text
    assert "values must belong to this set" in " ".join(text.split())
    assert "50% unexpected" in " ".join(text.split())


def test_links_to_other_sites_become_text() -> None:
    page = '<head></head><a class="x" href="https://greatexpectations.io" id="y">GX</a> <a href="#section-1">1</a>'
    assert strip_page(page).endswith('GX <a href="#section-1">1</a>')


def test_a_page_has_a_language_headings_from_the_first_level_on_and_no_empty_link() -> None:
    page = (
        '<html><div class="container-fluid"><h4>Result</h4><a href="index.html"> </a><h6 class="m">Info</h6>'
    )
    assert make_accessible(page) == (
        '<html lang="en"><div role="main" class="container-fluid"><h1>Result</h1><h3 class="m">Info</h3>'
    )


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_axe_finds_nothing_serious_and_nothing_scrolls_sideways(
    browser: Any, docs: Path, width: int, scheme: Any
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    for path in sorted(docs.rglob("*.html")):
        page.goto(path.as_uri())
        assert find_barriers(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
