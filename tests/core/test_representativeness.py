from __future__ import annotations

import msgspec
import pytest

from exemplars.core.files import encode_json
from exemplars.core.representativeness import Association, Balance, Coverage, Representativeness, Slice

DOCUMENT = """\
{
  "slices": [
    {
      "dimension": "gender",
      "slice": "female",
      "rows": 3,
      "share": 0.3,
      "low": 0.1,
      "high": 0.6
    }
  ],
  "coverage": [
    {
      "skill": "call",
      "parameter": "contact",
      "value": "",
      "rows": 0,
      "examples": ["call mum"]
    }
  ],
  "balance": [
    {
      "name": "skill",
      "classes": 2,
      "entropy": 0.9,
      "ratio": 2.0
    }
  ],
  "associations": [
    {
      "dimension": "gender",
      "rows": 3,
      "effect": 0.2,
      "p_value": 0.04
    }
  ]
}
"""
VALUE = Representativeness(
    slices=[Slice("gender", "female", 3, 0.3, 0.1, 0.6)],
    coverage=[Coverage("call", "contact", "", 0, ("call mum",))],
    balance=[Balance("skill", 2, 0.9, 2.0)],
    associations=[Association("gender", 3, 0.2, 0.04)],
)


def test_the_document_of_curate_is_read_as_it_was_written() -> None:
    assert msgspec.json.decode(DOCUMENT, type=Representativeness) == VALUE
    assert msgspec.json.decode(encode_json(VALUE), type=Representativeness) == VALUE
    assert msgspec.json.decode(encode_json(VALUE)) == msgspec.json.decode(DOCUMENT)


def test_a_document_without_one_of_its_parts_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="missing required field `associations`"):
        msgspec.json.decode(b'{"slices": [], "coverage": [], "balance": []}', type=Representativeness)


def test_slices_are_ordered_by_dimension_and_then_by_name() -> None:
    first, second = Slice("age", "old", 9, 0.9, 0.8, 1.0), Slice("gender", "female", 1, 0.1, 0.0, 0.2)
    assert sorted([second, first]) == [first, second]
