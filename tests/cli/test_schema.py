from __future__ import annotations

from exemplars.cli.schema import build_exemplar_schema
from exemplars.core.files import encode_json
from tests.conftest import PROJECT


def test_the_committed_schema_is_generated_from_the_record_type() -> None:
    committed = (PROJECT / "schemas/full_exemplar.schema.json").read_bytes()
    schema = encode_json(build_exemplar_schema())
    assert committed == schema, "run: exemplars schema > schemas/full_exemplar.schema.json"
