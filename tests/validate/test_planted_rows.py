"""A wrong row of each kind breaks the expectation that is about it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from exemplars.core import layout
from exemplars.core.records import Argument, Exemplar, Grounding, Mode, Speaker
from exemplars.dataset.row_tables import exemplars_to_table
from stages.validate.checkpoint import run_checkpoint
from stages.validate.results import name_expectation
from stages.validate.row_checks import check_rows
from tests.conftest import PROJECT
from tests.validate.rows import ROW, SKILLS, WHO


def argue(**fields: object) -> dict[str, object]:
    return {"arguments": (msgspec.structs.replace(WHO, **fields),)}


WRONG = {
    "a SHA-256 in hexadecimal": {"digest": "0"},
    "the id of its turn": {"turn": ""},
    "a position among the calls of its turn, from 0": {"call": -1},
    "each call of a turn once; from 0 without a gap, unless the turn has frames of services": {"call": 1},
    "said by the user, or returned by a tool": {"speaker": Speaker.ASSISTANT},
    "an SPDX expression": {"license": ""},
    "1 to validate.max_utterance_length code points": {"utterance": "x" * 99},
    "a skill of the catalog, and none exactly where the mode is none": {"mode": Mode.NONE},
    "arguments only where there is a skill": {"skill": None},
    "slots that are paths of leaves: dishes[0].quantity": argue(slot="who[0"),
    "slots of the skill, and values of their types and enumerations": argue(slot="whom"),
    "each path filled once": {"arguments": (WHO, WHO)},
    "leaves that make one call: no item of a list left out, no path through a value": argue(slot="who[1]"),
    "a call that the JSON Schema of its skill admits": {
        "arguments": (Argument("kind", "moon", None, None, None, Grounding.CATEGORICAL),)
    },
    "0 <= start < end <= length of the utterance": argue(end=99),
    "utterance[start:end] == surface": argue(surface="Mum"),
    "spans that do not overlap": {
        "arguments": (WHO, Argument("kind", "home", "um", 6, 8, Grounding.VERBATIM))
    },
    "a span exactly where the grounding says that the text holds the value": argue(
        grounding=Grounding.COMPOSED
    ),
    "listed values, booleans, defaults and dontcare grounded as what they are": argue(
        grounding=Grounding.DONTCARE
    ),
    "the utterance with each located value replaced by its slot": {"exemplar": "call"},
    "a reply that says something, or none": {"reply": " "},
}
"""The change that breaks each expectation, by its notes."""


def test_a_call_that_a_turn_repeats_breaks_no_expectation(tmp_path: Path) -> None:
    first = msgspec.structs.replace(ROW, id="row x", turn="shared")
    other = msgspec.structs.replace(first, id="row y", call=1)
    table = check_rows(exemplars_to_table([first, other]), SKILLS)
    suite = json.loads((PROJECT / layout.expectations("exemplars")).read_bytes())
    bounds = {"min_exemplars": 1, "max_utterance_length": 50}
    outcomes = run_checkpoint({"exemplars": suite}, {"exemplars": table}, bounds, tmp_path / "docs")
    assert [outcome for outcome in outcomes if not outcome.passed] == []


def test_each_expectation_finds_the_row_that_is_planted_for_it(tmp_path: Path) -> None:
    rows: dict[str, Exemplar] = {}
    for number, (notes, change) in enumerate(WRONG.items()):
        fields = {"id": f"row {number}", "turn": f"turn {number}", **change}
        rows[notes] = msgspec.structs.replace(ROW, **fields)
    first = msgspec.structs.replace(ROW, id="row x", turn="shared")
    other = msgspec.structs.replace(first, id="row y", call=1, group="another")
    table = check_rows(exemplars_to_table([first, other, *rows.values()]), SKILLS)
    suite = json.loads((PROJECT / layout.expectations("exemplars")).read_bytes())
    bounds = {"min_exemplars": 1, "max_utterance_length": 50}
    outcomes = run_checkpoint({"exemplars": suite}, {"exemplars": table}, bounds, tmp_path / "docs")
    found = {
        name_expectation(suite["expectations"][outcome.number]): outcome
        for outcome in outcomes
        if not outcome.passed
    }
    assert sorted(found) == sorted(
        [
            *WRONG,
            "each content once, but for calls that a turn repeats",
            "one source, group, speaker, utterance and context for all calls of a turn",
        ]
    )
    assert found["an SPDX expression"].found == "1 row, such as license=, id=row 5"
    shared = found["one source, group, speaker, utterance and context for all calls of a turn"]
    assert (shared.unexpected, shared.found) == (
        2,
        "2 rows, such as turn_agrees=False, id=row x; turn_agrees=False, id=row y",
    )
