from __future__ import annotations

from pathlib import Path

import pytest

from exemplars.core.errors import UserError
from exemplars.core.params import load_section
from stages.ingest.params import IngestParams

PARAMS = """\
ingest:
  context_turns: 0
  sources:
    bots: {format: opencui, path: bots, license: MIT, instances_a_template: 1}
"""


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (("context_turns: 0", "context_turns: -1"), "ingest.context_turns"),
        (("instances_a_template: 1", "instances_a_template: 0"), "ingest.sources.bots.instances_a_template"),
    ],
)
def test_counts_have_a_minimum(tmp_path: Path, change: tuple[str, str], key: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(PARAMS, "utf-8")
    assert load_section("ingest", IngestParams, path).context_turns == 0
    path.write_text(PARAMS.replace(*change), "utf-8")
    with pytest.raises(UserError, match=key):
        load_section("ingest", IngestParams, path)
