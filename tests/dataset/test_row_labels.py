"""Labels of rows in other tools' formats: bound to their row, and void if it was changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exemplars.core.records import Argument, Grounding, Mode, Speaker, Turn
from exemplars.dataset.row_labels import CallLabels, RowLabels, add_labels, find_labels, hash_document

ROW = {"messages": [{"role": "user", "content": "two"}], "tools": [], "weight": 1}
LABELS = RowLabels(
    row="",
    calls=(
        CallLabels(
            Mode.EXTENDED,
            "book",
            "Hotels_1",
            (Argument("guests", "2", "two", 0, 3, Grounding.NORMALIZED, ("3",)),),
        ),
        CallLabels(Mode.NEGATIVE, "cancel"),
    ),
    turns=(Turn(Speaker.USER, "two"),),
    reply=None,
)


def test_labels_are_one_text_that_comes_back() -> None:
    row = add_labels(ROW, LABELS)
    assert {key: value for key, value in row.items() if key != "exemplars"} == ROW
    assert json.loads(row["exemplars"]) == {
        "row": hash_document(ROW),
        "calls": [
            {
                "mode": "extended",
                "skill": "book",
                "service": "Hotels_1",
                "arguments": [
                    {
                        "slot": "guests",
                        "value": "2",
                        "surface": "two",
                        "start": 0,
                        "end": 3,
                        "grounding": "normalized",
                        "accepted": ["3"],
                    }
                ],
            },
            {"mode": "negative", "skill": "cancel"},
        ],
        "turns": [{"speaker": "user", "utterance": "two"}],
        "reply": None,
    }
    found = find_labels(row)
    assert found is not None
    assert (found.calls, found.turns, found.reply) == (LABELS.calls, LABELS.turns, None)


def test_labels_outlive_a_table_that_gives_all_rows_the_same_keys() -> None:
    row = add_labels(ROW, LABELS)
    message = {**ROW["messages"][0], "tool_calls": None}  # type: ignore[index]
    assert find_labels({"prompt": None, **row, "messages": [message]}) == find_labels(row)


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [{"role": "user", "content": "three"}]},
        {"weight": 0},
        {"tools": [{"name": "book"}]},
        {"note": "mine"},
        {"exemplars": None},
        {"exemplars": ""},
        {"exemplars": "[]"},
        {"exemplars": 5},
        {"exemplars": '{"row": "0", "calls": []}'},
        {"exemplars": "[" * 100_000},
    ],
)
def test_labels_of_a_row_that_was_changed_are_void(change: dict[str, Any]) -> None:
    assert find_labels({**add_labels(ROW, LABELS), **change}) is None
