"""Rows and the answers of systems to them, which tests of judging share."""

from __future__ import annotations

from pathlib import Path

from exemplars.core import layout
from exemplars.core.ids import SplitName
from exemplars.core.records import Exemplar
from exemplars.core.tables import rows_to_table, write_table
from exemplars.models.rows import PREDICTION_SCHEMA, Prediction
from tests.render.rows import exemplar


def make_answer(
    row: Exemplar, system: str, predicted: str, kind: str = "right", condition: str = "end_to_end"
) -> Prediction:
    return Prediction(
        id=row.id,
        exemplar_ids=(row.id,),
        condition=condition,
        system=system,
        kind=kind,
        utterance=row.utterance,
        right="call()",
        predicted=predicted,
        ended=True,
        source=row.source,
        skill=row.skill,
        nearest=(),
        shown=("call", "weather"),
        confidence=None,
        answered_by=None,
        origin=row.origin,
    )


ROWS = [exemplar(f"ring {name}", group=f"g{name}") for name in ("Ada", "Bo", "Cy")]
ANSWERS = [
    make_answer(ROWS[0], "lora", 'call(contact="Ada")'),
    make_answer(ROWS[0], "tagger", "None", "missed_call"),
    make_answer(ROWS[1], "lora", "I will ring Bo.", "malformed"),
    make_answer(ROWS[1], "tagger", 'call(contact="Bo")'),
    make_answer(ROWS[2], "lora", 'call(contact="Cy")'),
    make_answer(ROWS[2], "tagger", 'call(contact="Cy") '),
    make_answer(ROWS[2], "lora", "None", "missed_call", "oracle"),
    make_answer(ROWS[2], "tagger", 'call(contact="Cy")', "right", "oracle"),
]


def write_answers(root: Path, answers: list[Prediction] = ANSWERS) -> None:
    """Write the rows as a test split, and the answers to them."""
    names: list[SplitName] = ["train", "validation", "test"]
    for name in names:
        table = rows_to_table(ROWS if name == "test" else [], Exemplar)
        write_table(root / layout.split(name), table)
    write_table(root / layout.PREDICTIONS, rows_to_table(answers, Prediction).cast(PREDICTION_SCHEMA))
