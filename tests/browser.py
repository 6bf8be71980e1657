"""A real browser, and what an accessibility checker finds in its pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

SCREENS = [(390, "light"), (1280, "dark")]
"""Widths and color schemes that pages are looked at in: no color depends on the width."""
_BROWSER = shutil.which("chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium; a test without it is skipped."""
    if _BROWSER is None:
        pytest.skip("no chromium on this machine: install Debian's package chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        running = playwright.chromium.launch(executable_path=_BROWSER, args=options)
        yield running
        running.close()


def find_barriers(page: Any) -> list[tuple[str, str, list[str]]]:
    """Find what axe-core calls a serious or critical barrier in a page: rule, impact, and elements.

    The test is skipped if axe-core is not installed; it comes with a Python package, so that no npm is needed.
    """
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-core is in the extra dev: pip install -e .[dev]"
    )
    return [
        (violation["id"], violation["impact"], [node["html"][:150] for node in violation["nodes"][:3]])
        for violation in axe.Axe().run(page).response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
