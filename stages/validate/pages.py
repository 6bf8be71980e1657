"""The pages of the Data Docs: they load nothing, run nothing, and do not change unless the data does.

Great Expectations writes pages that load style sheets, scripts and pictures from a dozen servers.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from exemplars.core.files import write_bytes

if TYPE_CHECKING:
    from stages.validate.results import ExpectationResult

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CLOCK: Final = re.compile(r"\d{8}T\d{6}\.\d{6}Z")
_BLOCKS: Final = tuple(
    re.compile(rf"<{name}\b.*?</{name}>", re.DOTALL) for name in ("script", "style", "footer")
)
_LOADS: Final = re.compile(r"<(?:link|img)\b[^>]*>")
_REMOTE_LINK: Final = re.compile(r'<a\b[^>]*\bhref="(?:https?:)?//[^"]*"[^>]*>(.*?)</a>', re.DOTALL)
_EMPTY: Final = re.compile(
    r"<(a|title)\b[^>]*>\s*</\1>|<p class=\"m-0\">\s*<a data-toggle=.*?</p>", re.DOTALL
)
"""Links without a text, a second title, and links that a script would make work."""
_HEADING: Final = re.compile(r"(</?h)([4-6])\b")
_HANDLER: Final = re.compile(r'\son[a-z]+="[^"]*"')
_POLICY: Final = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)
"""Forbids a browser to load or to run anything, whatever the data in a page says."""


def finish_pages(folder: Path, suites: Iterable[str], results: Sequence[ExpectationResult]) -> None:
    """Rewrite all pages of Data Docs so that they stand alone, with an index of our own.

    The index of Great Expectations is written by a script in the browser. suites: the names of all suites.
    results: of all expectations.
    """
    shutil.rmtree(folder / "static", ignore_errors=True)
    pages = sorted(path for path in folder.rglob("*.html") if path != folder / "index.html")
    for page in pages:
        write_bytes(page, strip_page(normalize_page(page.read_text("utf-8"))).encode("utf-8"))
    names = [page.relative_to(folder) for page in pages]
    write_bytes(folder / "index.html", build_index(names, suites, results).encode("utf-8"))


def normalize_page(page: str) -> str:
    """Replace the clock's times in a page of the Data Docs by a fixed one, and random ids by numbered ones.

    >>> normalize_page("<td id='20261121T071646.123456Z'>")
    "<td id='20000101T000000.000000Z'>"
    """
    numbers: dict[str, str] = {}
    page = _CLOCK.sub("20000101T000000.000000Z", page)
    return _UUID.sub(lambda match: numbers.setdefault(match[0], f"id-{len(numbers) + 1}"), page)


def strip_page(page: str) -> str:
    """Remove what a page loads and runs, and give it our style.

    >>> strip_page('<head><link href="https://x/a.css"></head>').count("https:")
    0
    """
    for block in _BLOCKS:
        page = block.sub("", page)
    page = _HANDLER.sub("", _REMOTE_LINK.sub(r"\1", _LOADS.sub("", page)))
    page = make_accessible(page)
    return page.replace("<head>", f"<head>\n{_POLICY}\n<style>\n{_read_style()}</style>", 1)


def make_accessible(page: str) -> str:
    """Give a page of Great Expectations a language, a main part, headings from the first level on, and no empty link.

    >>> make_accessible('<html><h4>Result</h4><a href="index.html"> </a><h6 class="m">Info</h6></html>')
    '<html lang="en"><h1>Result</h1><h3 class="m">Info</h3></html>'
    """
    page = _EMPTY.sub("", page).replace("<html>", '<html lang="en">', 1)
    page = page.replace('<div class="container-fluid', '<div role="main" class="container-fluid', 1)
    return _HEADING.sub(lambda match: f"{match[1]}{int(match[2]) - 3}", page)


def build_index(pages: Sequence[Path], suites: Iterable[str], results: Sequence[ExpectationResult]) -> str:
    """Build the index: each suite with its pages, and each expectation with what was found, its bound and the margin.

    pages: their paths below the index.
    """
    failed = {result.suite for result in results if not result.passed}
    rows = []
    for suite in sorted(suites):
        links = {
            "the result": [page for page in pages if page.parts[:2] == ("validations", suite)],
            "the expectations": [page for page in pages if page.parts == ("expectations", f"{suite}.html")],
        }
        shown = ", ".join(
            f'<a href="{quote(page.as_posix())}">{title}</a>'
            for title, paths in links.items()
            for page in paths
        )
        rows.append(f"<tr><td>{_mark(suite not in failed)}</td><td>{escape(suite)}</td><td>{shown}</td></tr>")
    suite_table = _build_table(("Status", "Suite", "Pages"), rows)
    columns = ("Status", "Expectation", "Found", "Bound", "Margin")
    result_table = _build_table(columns, [_build_result_row(result) for result in results])
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="UTF-8">\n'
        f"{_POLICY}\n<title>Data Docs</title>\n<style>\n{_read_style()}</style>\n</head>\n"
        "<body>\n<main>\n<h1>Data Docs</h1>\n"
        "<p>The expectations of the dataset. Great Expectations wrote pages of a suite in which an expectation is"
        " broken, so that they show its rows; <code>exemplars data-docs</code> writes those of all suites.</p>\n"
        f"{suite_table}<h2>Expectations</h2>\n"
        "<p>Found is the value that is nearest to the bound, or beyond it; a margin below zero is too little.</p>\n"
        f"{result_table}</main>\n</body>\n</html>\n"
    )


def _build_table(columns: Iterable[str], rows: Iterable[str]) -> str:
    headings = "".join(f'<th scope="col">{heading}</th>' for heading in columns)
    lines = "".join(f"{row}\n" for row in rows)
    return f"<table>\n<thead><tr>{headings}</tr></thead>\n<tbody>\n{lines}</tbody>\n</table>\n"


def _build_result_row(result: ExpectationResult) -> str:
    figures = [
        "" if value is None else result.unit.write(value)
        for value in (result.found, result.bound, result.margin)
    ]
    warned = "" if result.passed or result.severity == "critical" else " (a warning)"
    cells = (escape(f"{result.suite}: {result.message or result.expectation}"), *figures)
    return (
        f"<tr><td>{_mark(result.passed)}{warned}</td>"
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
    )


def _mark(is_met: bool) -> str:
    mark, result = ("check-circle text-success", "met") if is_met else ("times text-danger", "failed")
    return f'<i class="fas fa-{mark}"></i> {result}'


@cache
def _read_style() -> str:
    return (Path(__file__).parent / "page.css").read_text("utf-8")
