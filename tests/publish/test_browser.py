"""The page and the card as people see them: in a real browser, without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stages.publish.card import render_card, render_card_page
from stages.publish.page import build_dataset_page
from tests.browser import SCREENS, browser, find_barriers
from tests.publish.release import make_evaluation, make_release

__all__ = ["browser"]
WIDE_ELEMENTS = """[...document.body.querySelectorAll("*")].filter((element) => {
  const box = element.getBoundingClientRect();
  const scrolls = element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== "visible";
  return box.width && (scrolls || box.right > innerWidth + 1) && !element.closest(".skip");
}).map((element) => element.outerHTML.slice(0, 120))"""
VISIBLE_CONTROLS = """[...document.querySelectorAll("a, button, input, summary")]
  .filter((element) => element.checkVisibility()).length"""
FOCUS = """(() => {
  const element = document.activeElement;
  return [[...document.querySelectorAll("*")].indexOf(element), getComputedStyle(element).outlineStyle];
})()"""
OPEN_ALL = """for (const element of document.querySelectorAll("details")) element.open = true;
for (const button of document.querySelectorAll(".more:not([hidden])")) button.click();"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of the page and of the card."""
    folder = tmp_path_factory.mktemp("pages")
    facts, inputs = make_release(make_evaluation())
    texts = {
        "page": build_dataset_page(facts, inputs).html,
        "card": render_card_page(render_card(facts), facts.params.title),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    return {name: folder / f"{name}.html" for name in texts}


@pytest.fixture
def opened(browser: Any, pages: dict[str, Path]) -> Iterator[tuple[Any, list[str]]]:
    """The page in a browser, and its errors and requests to a network."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith(("file:", "data:")) else problems.append(request.url),
    )
    page.goto(pages["page"].as_uri())
    yield page, problems
    assert page.evaluate("window.hacked") is None
    assert problems == []
    page.close()


def test_a_long_table_shows_its_first_rows_until_all_are_asked_for(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    rows = page.locator("#coverage-table tbody tr:visible")
    assert rows.count() == 12
    page.get_by_role("button", name="Show all 22 rows").click()
    assert rows.count() == 22
    assert page.evaluate("document.activeElement.rowIndex") == 13
    assert page.locator("#coverage-table .more").is_hidden()


def test_without_scripts_all_rows_are_shown_and_nothing_that_needs_a_script(
    browser: Any, pages: dict[str, Path]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["page"].as_uri())
    assert page.locator("#coverage-table tbody tr:visible").count() == 22
    assert page.locator("input:visible, .more:visible").count() == 0
    context.close()


def test_the_filter_hides_rows_and_counts_the_rest(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    page.get_by_role("searchbox", name="Filter").first.fill("MUM")
    assert page.locator("#coverage-table tbody tr:visible").count() == 2
    assert page.inner_text("#coverage-table output") == "2"
    assert page.locator("#coverage-table .more").is_hidden()


def test_a_column_of_numbers_is_sorted_by_value_with_the_keyboard(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    page.locator("#coverage-table th button", has_text="exemplars").focus()
    page.keyboard.press("Enter")
    cells = page.locator("#coverage-table tbody tr td:nth-child(4)")
    assert cells.all_text_contents() == ["2", *["9"] * 20, "10"]
    page.keyboard.press("Enter")
    assert cells.all_text_contents()[:2] == ["10", "9"]
    assert page.locator("#coverage-table th[aria-sort='descending']").count() == 1


def test_a_link_of_a_task_opens_the_examples_of_its_reason(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    page.locator("#todo a", has_text="Repair 2 records").click()
    page.wait_for_selector("#rejection-compile-value_not_found[open]")
    assert page.locator("#rejection-compile-value_not_found li").all_text_contents() == [
        "message 1",
        "message 3",
    ]


@pytest.mark.parametrize("width", [390, 1280])
def test_the_tab_key_reaches_every_control_and_shows_where_it_is(
    opened: tuple[Any, list[str]], width: int
) -> None:
    page, _ = opened
    page.set_viewport_size({"width": width, "height": 800})
    reached = set()
    controls = page.evaluate(VISIBLE_CONTROLS)
    for _ in range(controls):
        page.keyboard.press("Tab")
        index, outline = page.evaluate(FOCUS)
        reached.add(index)
        assert outline == "solid"
    assert len(reached) == controls > 30


@pytest.mark.parametrize("name", ["page", "card"])
@pytest.mark.parametrize("width", [320, 390, 768, 1030, 1280])
def test_nothing_scrolls_sideways(browser: Any, pages: dict[str, Path], name: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(pages[name].as_uri())
    page.evaluate(OPEN_ALL)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(WIDE_ELEMENTS) == []
    page.close()


@pytest.mark.parametrize("name", ["page", "card"])
@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_axe_finds_nothing_serious(
    browser: Any, pages: dict[str, Path], name: str, width: int, scheme: Any
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.goto(pages[name].as_uri())
    page.evaluate(OPEN_ALL)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(20, 24, 31)" if scheme == "dark" else "rgb(255, 255, 255)")
    assert find_barriers(page) == []
    page.close()
