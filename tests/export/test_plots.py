"""The plots as people see them: DVC's pages in a real browser, without a network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from exemplars.cli.plots_template import write_plots_template
from exemplars.core.files import encode_json
from exemplars.export.plot_templates import build_plot_templates
from tests.stage_server import StageServer

PROJECT = Path(__file__).parents[2]
BROWSER = shutil.which("chromium")
PIPELINE = """
plots:
  - Rejections: {template: bars, x: rows, y: {bars.json: reason}}
  - Lengths: {template: bins, x: tokens, y: {bins.json: rows}}
  - Systems: {template: intervals, x: exact_match, y: {intervals.json: system}}
  - Skills: {template: matrix, x: actual, y: {matrix.json: predicted}}
  - Missing: {template: bars, x: rows, y: {missing.json: reason}}
  - Loss: {x: step, y: {loss.tsv: loss}}
"""
POINTS: dict[str, list[dict[str, Any]]] = {
    "bars": [{"reason": "leaked", "rows": 3}, {"reason": "unknown_slot", "rows": 8}],
    "bins": [{"tokens": 48, "rows": 3}, {"tokens": 64, "rows": 5}, {"tokens": 48, "rows": 1}],
    "intervals": [
        {"system": "base", "exact_match": 0.1, "low": 0.0, "high": 0.2},
        {"system": "lora", "exact_match": 0.5, "low": 0.4, "high": 0.6},
    ],
    "matrix": [{"actual": "call", "predicted": "call"}, {"actual": "call", "predicted": "light"}],
}
TITLES = ["Rejections", "Lengths", "Systems", "Skills", "Loss"]
DRAWN = """() => [...document.querySelectorAll("main > div")].map((plot) => [
  [...plot.querySelectorAll("svg .role-title-text")].map((title) => title.textContent),
  plot.querySelectorAll("svg .mark-rect path, svg .mark-symbol path, svg .mark-line path").length > 0,
])"""


def run(root: Path, *arguments: str) -> str:
    """Run a program, which must succeed; return what it printed."""
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(arguments, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_git(root: Path, *arguments: str) -> str:
    """Run git as a test user."""
    return run(root, "git", "-c", "user.name=Test", "-c", "user.email=test@localhost", *arguments)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, stage_server: StageServer) -> Path:
    """A project with a plot of each template, committed, and other points in the workspace."""
    root = tmp_path_factory.mktemp("plots")
    run_git(root, "init", "-q")
    run(root, str(stage_server.python), "-m", "dvc", "init", "-q")
    write_plots_template(root)
    (root / "dvc.yaml").write_text(PIPELINE, "utf-8")
    for name, points in POINTS.items():
        (root / f"{name}.json").write_text(json.dumps(points), "utf-8")
    (root / "loss.tsv").write_text("step\tloss\n5\t1.5\n10\t0.5\n", "utf-8")
    run_git(root, "add", "-A")
    run_git(root, "commit", "-q", "-m", "plots")
    (root / "bars.json").write_text(json.dumps([{"reason": "leaked", "rows": 5}]), "utf-8")
    return root


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


@pytest.mark.slow
@pytest.mark.parametrize(("command", "revisions"), [("show", 1), ("diff", 2)])
def test_plots_are_drawn_without_a_network(
    project: Path, browser: Any, command: str, revisions: int, stage_server: StageServer
) -> None:
    page_file = project / "dvc_plots/index.html"
    run(project, str(stage_server.python), "-m", "dvc", "plots", command)
    page = browser.new_page(offline=True)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: problems.append(request.url))
    page.goto(page_file.as_uri())
    page.wait_for_function('document.querySelectorAll("main > div .marks").length >= 5')
    drawn = page.evaluate(DRAWN)
    assert [(title in texts, has_marks) for title, (texts, has_marks) in zip(TITLES, drawn, strict=True)] == [
        (True, True)
    ] * len(TITLES)
    assert page.locator("main > div").first.locator(".role-legend-label text").count() == revisions
    assert [problem for problem in problems if not problem.startswith(("file:", "data:"))] == []
    page.close()


@pytest.mark.slow
def test_the_template_of_this_project_is_the_one_that_the_command_writes(project: Path) -> None:
    assert (project / ".dvc/plots/page.html").read_bytes() == (PROJECT / ".dvc/plots/page.html").read_bytes()
    assert "html_template = plots/page.html" in (project / ".dvc/config").read_text("utf-8")


def test_each_plot_of_the_pipeline_is_of_an_output_and_has_a_template() -> None:
    pipeline = yaml.safe_load((PROJECT / "dvc.yaml").read_text("utf-8"))
    stages = [stage.get("do", stage) for stage in pipeline["stages"].values()]
    runs = yaml.safe_load((PROJECT / "params.yaml").read_text("utf-8"))["train"]["runs"]
    outputs = [
        path.replace("${key}", run)
        for stage in stages
        for out in stage["outs"]
        for path in (out if isinstance(out, dict) else [out])
        for run in runs
    ]
    for plot in pipeline["plots"]:
        [(title, definition)] = plot.items()
        for path in definition["y"]:
            assert any(path == out or path.startswith(f"{out}/") for out in outputs), title
        assert definition.get("template") in (None, *build_plot_templates()), title


def test_the_templates_of_this_project_are_those_that_the_command_writes() -> None:
    committed = {path.stem: path.read_bytes() for path in (PROJECT / ".dvc/plots").glob("*.json")}
    assert committed == {name: encode_json(template) for name, template in build_plot_templates().items()}
    assert "html_template = plots/page.html" in (PROJECT / ".dvc/config").read_text("utf-8")
