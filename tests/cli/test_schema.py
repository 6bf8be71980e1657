from __future__ import annotations

from exemplars.cli.schema import full_exemplar_schema
from tests.conftest import PROJECT


def test_the_committed_schema_is_what_the_code_says() -> None:
    committed = (PROJECT / "schemas/full_exemplar.schema.json").read_text("utf-8")
    assert committed == full_exemplar_schema(), "run: exemplars schema > schemas/full_exemplar.schema.json"
