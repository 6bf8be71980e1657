"""The derived schemas, against Arrow schemas that are written out."""

from __future__ import annotations

import msgspec
import pyarrow as pa
import pytest

from exemplars.core.records import Exemplar, Record, Rejection, ReviewItem, Template, TextPair
from exemplars.core.schemas import (
    EXEMPLAR_SCHEMA,
    PAIR_SCHEMA,
    RECORD_SCHEMA,
    REJECTION_SCHEMA,
    REVIEW_SCHEMA,
    TEMPLATE_SCHEMA,
    derive_schema,
)
from exemplars.models.rows import PREDICTION_SCHEMA, TRAINING_SCHEMA, Prediction, TrainingRow

TEXT = pa.string()
TURN = pa.struct([("speaker", TEXT), ("utterance", TEXT)])
ORIGIN = pa.struct([("path", TEXT), ("sha256", TEXT), ("locator", TEXT)])
LABEL = pa.struct(
    [
        ("slot", TEXT),
        ("value", TEXT),
        ("spoken", pa.list_(TEXT)),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("context", pa.bool_()),
        ("accepted", pa.list_(TEXT)),
        ("grounding", TEXT),
    ]
)
ARGUMENT = pa.struct(
    [
        ("slot", TEXT),
        ("value", TEXT),
        ("surface", TEXT),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("grounding", TEXT),
        ("accepted", pa.list_(TEXT)),
    ]
)
RECORDS = pa.schema(
    [
        ("id", TEXT),
        ("turn", TEXT),
        ("source", TEXT),
        ("utterance", TEXT),
        ("mode", TEXT),
        ("skill", TEXT),
        ("service", TEXT),
        ("arguments", pa.list_(LABEL)),
        ("context", pa.list_(TURN)),
        ("group", TEXT),
        ("license", TEXT),
        ("origin", ORIGIN),
        ("exemplar", TEXT),
        ("split", TEXT),
        ("today", TEXT),
        ("call", pa.int32()),
        ("speaker", TEXT),
        ("reply", TEXT),
        ("is_template", pa.bool_()),
    ]
)
TEMPLATES = pa.schema(
    [
        ("id", TEXT),
        ("source", TEXT),
        ("skill", TEXT),
        ("template", TEXT),
        ("mode", TEXT),
        ("context", pa.list_(TURN)),
        ("group", TEXT),
        ("license", TEXT),
        ("origin", ORIGIN),
    ]
)
EXEMPLARS = pa.schema(
    [
        ("id", TEXT),
        ("digest", TEXT),
        ("source", TEXT),
        ("turn", TEXT),
        ("call", pa.int32()),
        ("service", TEXT),
        ("skill", TEXT),
        ("mode", TEXT),
        ("speaker", TEXT),
        ("utterance", TEXT),
        ("exemplar", TEXT),
        ("arguments", pa.list_(ARGUMENT)),
        ("reply", TEXT),
        ("context", pa.list_(TURN)),
        ("group", TEXT),
        ("license", TEXT),
        ("origin", ORIGIN),
        ("split", TEXT),
    ]
)
REJECTIONS = pa.schema(
    [
        ("id", TEXT),
        ("source", TEXT),
        ("stage", TEXT),
        ("reason", TEXT),
        ("message", TEXT),
        ("origin", ORIGIN),
        ("group", TEXT),
        ("skill", TEXT),
        ("slot", TEXT),
        ("utterance", TEXT),
    ]
)
PAIRS = pa.schema([("column", TEXT), ("first", TEXT), ("second", TEXT), ("similarity", pa.float64())])
REVIEW = pa.schema(
    [
        ("id", TEXT),
        ("why", TEXT),
        ("detail", TEXT),
        ("score", pa.float64()),
        ("skill", TEXT),
        ("suggested", TEXT),
        ("path", TEXT),
        ("locator", TEXT),
        ("utterance", TEXT),
    ]
)
ANSWER = pa.struct([("slot", TEXT), ("value", TEXT), ("accepted", pa.list_(TEXT)), ("grounding", TEXT)])
CALL = pa.struct([("skill", TEXT), ("answers", pa.list_(ANSWER))])
TRAINING = pa.schema(
    [
        ("id", TEXT),
        ("turn", TEXT),
        ("exemplar_ids", pa.list_(TEXT)),
        ("digests", pa.list_(TEXT)),
        ("source", TEXT),
        ("services", pa.list_(TEXT)),
        ("skills", pa.list_(TEXT)),
        ("mode", TEXT),
        ("group", TEXT),
        ("license", TEXT),
        ("origin", ORIGIN),
        ("view", TEXT),
        ("slot", TEXT),
        ("speech", pa.bool_()),
        ("speaker", TEXT),
        ("utterance", TEXT),
        ("reply", TEXT),
        ("messages", pa.list_(pa.struct([("role", TEXT), ("content", TEXT)]))),
        ("tools", TEXT),
        ("calls", pa.list_(CALL)),
        ("input_ids", pa.list_(pa.int32())),
        ("prompt_tokens", pa.int32()),
        ("nearest", pa.list_(TEXT)),
    ]
)
PREDICTIONS = pa.schema(
    [
        ("id", TEXT),
        ("exemplar_ids", pa.list_(TEXT)),
        ("condition", TEXT),
        ("system", TEXT),
        ("kind", TEXT),
        ("utterance", TEXT),
        ("right", TEXT),
        ("predicted", TEXT),
        ("ended", pa.bool_()),
        ("source", TEXT),
        ("skill", TEXT),
        ("nearest", pa.list_(TEXT)),
        ("shown", pa.list_(TEXT)),
        ("confidence", pa.float64()),
        ("answered_by", TEXT),
        ("origin", ORIGIN),
    ]
)


@pytest.mark.parametrize(
    ("record_type", "constant", "expected"),
    [
        (Record, RECORD_SCHEMA, RECORDS),
        (Exemplar, EXEMPLAR_SCHEMA, EXEMPLARS),
        (Rejection, REJECTION_SCHEMA, REJECTIONS),
        (Template, TEMPLATE_SCHEMA, TEMPLATES),
        (TextPair, PAIR_SCHEMA, PAIRS),
        (ReviewItem, REVIEW_SCHEMA, REVIEW),
        (TrainingRow, TRAINING_SCHEMA, TRAINING),
        (Prediction, PREDICTION_SCHEMA, PREDICTIONS),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_schema_of_a_record_type_has_these_columns(
    record_type: type[msgspec.Struct], constant: pa.Schema, expected: pa.Schema
) -> None:
    derived = derive_schema(record_type)
    assert derived.equals(expected, check_metadata=True), f"derived:\n{derived}\n\nexpected:\n{expected}"
    assert constant.equals(expected, check_metadata=True)


def test_a_field_without_an_arrow_type_is_refused() -> None:
    class Odd(msgspec.Struct):
        when: complex

    with pytest.raises(TypeError, match="no Arrow type for <class 'complex'>"):
        derive_schema(Odd)
