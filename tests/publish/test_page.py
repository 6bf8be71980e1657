"""The page as people see it: in a real browser, without a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import vl_convert

from exemplars.core.records import Origin, ReviewItem
from exemplars.core.representativeness import Coverage, Representativeness, Slice
from exemplars.core.tables import rows_to_table
from exemplars.dataset.row_tables import exemplars_to_table, rejections_to_table
from exemplars.models.rows import Prediction
from stages.publish.inputs import PublishInputs
from stages.publish.page import render_dataset_page
from stages.publish.tables import PAGE_METRICS
from tests.curate.rows import make_argument, make_row
from tests.publish.test_flow import LEDGER

BROWSER = shutil.which("chromium")
EVIL = "play <script>window.hacked = 1</script> </script><img src=x onerror=window.hacked=1> now"
FIGURE = {"value": 0.5, "low": 0.25, "high": 0.75}
EVALUATION = {
    "run": "lora-1-2",
    "reference": "tuned",
    "systems": {"tuned": dict.fromkeys(PAGE_METRICS, FIGURE), "base": dict.fromkeys(PAGE_METRICS, FIGURE)},
    "reference_against": {
        "base": {
            "differences": {"exact_match": FIGURE},
            "mcnemar_p": 0.5,
            "warning": "4 rows do not tell this difference from luck",
        }
    },
    "slices": {"mode": {"normal": {"rows": 4, **FIGURE}}},
}
ROW_ID = "sgd:test/dialogues_001.json#/12/turns/4/frames/0"
WRONG = Prediction(
    ROW_ID,
    "tuned",
    "wrong_value",
    EVIL,
    "play(what='now')",
    "play(what='<b>')",
    True,
    "s",
    "play",
    (ROW_ID, ROW_ID, ROW_ID),
    Origin("a.md", "0" * 64, "1"),
)
CUT_CHARTS = """[...document.querySelectorAll(".chart svg")].filter((svg) => {
  const box = svg.getBBox();
  return box.x + box.width > svg.clientWidth + 1;
}).map((svg) => svg.closest(".chart").id)"""
CUT_TABLES = """[...document.querySelectorAll(".scroll")]
  .filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.parentElement.id)"""
SPLIT = {"rows": 1, "groups": 1, "data_hash": "d" * 64}


def make_inputs(empty: bool = False) -> PublishInputs:
    rows = (
        []
        if empty
        else [
            make_row("1", EVIL, arguments=(make_argument("what", "now", EVIL),)),
            make_row("2", "call mum", "call"),
        ]
    )
    slices = [Slice("gender", "female", 1, 0.5, 0.1, 0.9)]
    coverage = [Coverage("call", "who", "", 10, ("call mum",)), Coverage("play", "", "", 9, (EVIL,))]
    review = [
        ReviewItem(
            ROW_ID,
            "conflict",
            "found <b>bold</b>",
            None,
            "play",
            None,
            "test/dialogues_001.json",
            "/12/turns/4",
            EVIL,
        )
    ]
    return PublishInputs(
        reports={
            "compile": {"records": 0 if empty else 7, "grounding": {} if empty else {"verbatim": 1}},
            "curate": {
                "duplicates": {"pairs": {}, "clusters": 0, "clustered_rows": 0},
                "conflicts": 0,
                "label_noise": "off",
                "quality_flags": {},
                "personal_data": {"labelled": {}, "unlabelled": {} if empty else {"phone": 2}},
            },
            "split": {"leaked": 0},
            "validate": {"expectations": 5, "failed_critical": 0, "failed_warning": 0},
        },
        manifest={"splits": {"train": SPLIT, "test": SPLIT}},
        exemplars=exemplars_to_table(rows),
        rejections=rejections_to_table([]) if empty else LEDGER,
        review=rows_to_table([] if empty else review, ReviewItem),
        representativeness=Representativeness(
            slices=[] if empty else slices,
            coverage=[] if empty else coverage,
            balance=[],
            associations=[],
        ),
        evaluation=None if empty else EVALUATION,
        predictions=rows_to_table([] if empty else [WRONG], Prediction),
    )


def test_data_is_escaped_in_text_and_in_scripts() -> None:
    page = render_dataset_page(make_inputs(), "")
    assert "<script>window.hacked" not in page
    assert "<img src=x" not in page
    assert "play &lt;script&gt;" in page
    charts = page.split('id="charts">')[1].split("</script>")[0]
    assert sorted(msgspec.json.decode(charts)) == [
        "chart-flow",
        "chart-grounding",
        "chart-lengths",
        "chart-models",
        "chart-skills",
        "chart-slices",
    ]


def test_models_are_shown_with_intervals_comparisons_and_wrong_predictions() -> None:
    page = render_dataset_page(make_inputs(), "")
    assert page.count("0.50 (0.25 to 0.75)") == 2 * len(PAGE_METRICS) + 1
    assert "4 rows do not tell this difference from luck" in page
    assert "play(what=&#39;&lt;b&gt;&#39;)" in page


def test_the_page_is_the_same_each_time() -> None:
    assert render_dataset_page(make_inputs(), "x") == render_dataset_page(make_inputs(), "x")


def test_the_page_of_an_empty_dataset_says_so() -> None:
    page = render_dataset_page(make_inputs(empty=True), "")
    for sentence in (
        "No record was rejected.",
        "The catalog is empty.",
        "Nothing to review.",
        "No personal data was found.",
        "No model was evaluated yet: run <code>dvc repro evaluate</code>.",
    ):
        assert sentence in page


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if BROWSER is None:
        pytest.skip("no chromium on this machine: install Debian's package chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        running = playwright.chromium.launch(executable_path=BROWSER, args=options)
        yield running
        running.close()


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page with the charts' library, which takes seconds to bundle."""
    path = tmp_path_factory.mktemp("page") / "dataset.html"
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    path.write_text(render_dataset_page(make_inputs(), bundle), "utf-8")
    return path


@pytest.fixture
def opened(browser: Any, page_file: Path) -> Iterator[tuple[Any, list[str]]]:
    """The page in a browser, and its errors and requests to a network."""
    page = browser.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith(("file:", "data:")) else problems.append(request.url),
    )
    page.goto(page_file.as_uri())
    page.wait_for_selector("body[data-drawn='6']")
    yield page, problems
    page.close()


def test_charts_are_drawn_without_errors_requests_or_scripts_from_data(opened: tuple[Any, list[str]]) -> None:
    page, problems = opened
    assert page.locator(".chart svg").count() == 6
    assert page.locator("#chart-flow svg path[aria-roledescription='bar']").count() >= 8
    assert page.evaluate("window.hacked") is None
    assert problems == []


def test_the_filter_hides_rows_and_counts_the_rest(opened: tuple[Any, list[str]]) -> None:
    page, problems = opened
    page.fill("#coverage-table input", "MUM")
    assert page.locator("#coverage-table tbody tr:visible").count() == 1
    assert page.inner_text("#coverage-table output") == "1"
    assert problems == []


def test_a_column_of_numbers_is_sorted_by_value_with_the_keyboard(opened: tuple[Any, list[str]]) -> None:
    page, problems = opened
    button = page.locator("#coverage-table th button", has_text="exemplars")
    button.focus()
    page.keyboard.press("Enter")
    cells = page.locator("#coverage-table tbody tr td:nth-child(4)")
    assert cells.all_inner_texts() == ["9", "10"]
    page.keyboard.press("Enter")
    assert cells.all_inner_texts() == ["10", "9"]
    assert page.locator("#coverage-table th[aria-sort='descending']").count() == 1
    assert problems == []


def test_the_tab_key_reaches_every_control(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    controls = page.locator("a, button, input, summary, [tabindex]").count()
    reached = set()
    for _ in range(controls):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
    assert len(reached) == controls


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1280, "dark")])
def test_the_page_is_not_wider_than_the_screen(
    opened: tuple[Any, list[str]], width: int, scheme: Any
) -> None:
    page, problems = opened
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT_CHARTS) == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(20, 24, 31)" if scheme == "dark" else "rgb(255, 255, 255)")
    assert problems == []


def test_no_column_is_cut_off_on_a_wide_screen(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    page.set_viewport_size({"width": 1280, "height": 800})
    assert page.evaluate(CUT_TABLES) == []
