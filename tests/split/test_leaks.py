from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from stages.split.leaks import leaked_rows, normalized


def rows(*texts: tuple[str, str, str, tuple[str, ...]]) -> pl.DataFrame:
    """Rows of (split, utterance, exemplar, turns before), with the ids 0, 1, …"""
    return pl.DataFrame(
        {
            "id": [str(number) for number in range(len(texts))],
            "assigned": [one[0] for one in texts],
            "utterance": [one[1] for one in texts],
            "exemplar": [one[2] for one in texts],
            "context": [[{"speaker": "system", "utterance": turn} for turn in one[3]] for one in texts],
        },
        schema={
            **dict.fromkeys(("id", "assigned", "utterance", "exemplar"), pl.String),
            "context": pl.List(pl.Struct({"speaker": pl.String, "utterance": pl.String})),
        },
    )


def leaked(table: pl.DataFrame, context_turns: int = 0) -> list[dict[str, Any]]:
    return leaked_rows(table, context_turns).to_dicts()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Call Mum!", "call mum"),
        ("  call\tMum ", "call mum"),
        ("call <who>, please", "call <who> please"),
        ("Ｃａｌｌ １２", "call 12"),
        ("…", ""),
    ],
)
def test_texts_are_compared_without_case_punctuation_and_spacing(text: str, key: str) -> None:
    assert pl.select(normalized(pl.lit(text))).item() == key


def test_the_same_utterance_in_test_takes_a_row_out_of_train() -> None:
    table = rows(
        ("train", "Call Mum!", "Call <who>!", ()),
        ("train", "call dad", "ring <who>", ()),
        ("test", "call mum", "phone <who>", ()),
    )
    assert leaked(table) == [{"id": "0", "seen": "2", "split": "test"}]


def test_the_same_template_in_validation_takes_a_row_out_of_train() -> None:
    table = rows(("train", "call mum", "call <who>", ()), ("validation", "call dad", "Call <who>.", ()))
    assert leaked(table) == [{"id": "0", "seen": "1", "split": "validation"}]


def test_validation_and_test_lose_nothing() -> None:
    table = rows(("validation", "yes", "yes", ()), ("test", "yes", "yes", ()))
    assert leaked(table) == []


def test_a_row_that_leaks_twice_is_named_once_by_its_utterance() -> None:
    table = rows(
        ("train", "call mum", "call <who>", ()),
        ("test", "call mum", "call <who>", ()),
        ("test", "call dad", "call <who>", ()),
    )
    assert leaked(table) == [{"id": "0", "seen": "1", "split": "test"}]


def test_with_context_turns_the_turns_before_must_be_equal_too() -> None:
    table = rows(
        ("train", "yes", "yes", ("Hi", "Play it?")),
        ("train", "Yes.", "yes", ("Hello", "Book it?")),
        ("test", "yes", "yes", ("Hey", "book it")),
    )
    assert [one["id"] for one in leaked(table)] == ["0", "1"]
    assert [one["id"] for one in leaked(table, 1)] == ["1"]
    assert leaked(table, 2) == []


def test_without_rows_nothing_leaks() -> None:
    assert leaked(rows()) == []
