"""The shell of the stage `publish`: `python -m stages.publish`."""

from __future__ import annotations

import sys

import vl_convert

from stages.core import layout
from stages.core.errors import run_shell
from stages.core.files import write_bytes
from stages.publish.inputs import read_inputs
from stages.publish.page import dataset_page

SNIPPET = "window.vegaEmbed = vegaEmbed;"


def main() -> None:
    """Read reports and tables, write the page."""
    page = dataset_page(read_inputs(), vl_convert.javascript_bundle(SNIPPET))
    write_bytes(layout.DATASET_PAGE, page.encode("utf-8"))


if __name__ == "__main__":
    sys.exit(run_shell(main))
