"""The columns of all tables, by explicit Arrow types."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

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
    ]
)

RECORD_SCHEMA: Final = pa.schema(
    [
        ("id", TEXT),
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
    ]
)
EXEMPLAR_SCHEMA: Final = pa.schema(
    [
        ("id", TEXT),
        ("digest", TEXT),
        ("source", TEXT),
        ("service", TEXT),
        ("skill", TEXT),
        ("mode", TEXT),
        ("utterance", TEXT),
        ("exemplar", TEXT),
        ("arguments", pa.list_(ARGUMENT)),
        ("context", pa.list_(TURN)),
        ("group", TEXT),
        ("license", TEXT),
        ("origin", ORIGIN),
        ("split", TEXT),
    ]
)
REJECTION_SCHEMA: Final = pa.schema(
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

PAIR_SCHEMA: Final = pa.schema(
    [("column", TEXT), ("first", TEXT), ("second", TEXT), ("similarity", pa.float64())]
)
"""Two normalized texts of a column (`utterance` or `exemplar`) that are nearly the same."""
REVIEW_SCHEMA: Final = pa.schema(
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
"""What a person should look at: the row, why, and what is suggested."""

TRAINING_SCHEMA: Final = pa.schema(
    [
        ("id", TEXT),
        ("exemplar_id", TEXT),
        ("digest", TEXT),
        ("source", TEXT),
        ("service", TEXT),
        ("skill", TEXT),
        ("mode", TEXT),
        ("group", TEXT),
        ("license", TEXT),
        ("origin", ORIGIN),
        ("view", TEXT),
        ("slot", TEXT),
        ("speech", pa.bool_()),
        ("utterance", TEXT),
        ("messages", pa.list_(pa.struct([("role", TEXT), ("content", TEXT)]))),
        ("tools", TEXT),
        ("call", TEXT),
        (
            "answers",
            pa.list_(
                pa.struct(
                    [("slot", TEXT), ("value", TEXT), ("accepted", pa.list_(TEXT)), ("grounding", TEXT)]
                )
            ),
        ),
        ("input_ids", pa.list_(pa.int32())),
        ("prompt_tokens", pa.int32()),
    ]
)
"""Chat rows: what the loss is computed on, and what a prediction is compared with.

`messages` end with the answer. `tools` are the shown ones as a JSON list of OpenAI-style definitions.
`call` is the skill of the right answer; null: nothing is called. `answers` hold its arguments, with all
values that are right. The first `prompt_tokens` of `input_ids` are masked.
"""

PREDICTION_SCHEMA: Final = pa.schema(
    [
        ("id", TEXT),
        ("system", TEXT),
        ("kind", TEXT),
        ("utterance", TEXT),
        ("right", TEXT),
        ("predicted", TEXT),
        ("ended", pa.bool_()),
        ("source", TEXT),
        ("skill", TEXT),
        ("nearest", pa.list_(TEXT)),
        ("origin", ORIGIN),
    ]
)
"""What each system says to each test row, what is wrong with it, and the ids of the nearest train rows."""
