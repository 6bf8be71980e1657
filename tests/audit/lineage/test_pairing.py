from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exemplars.audit.lineage.pairing import pair_rows
from exemplars.core.ids import parse_row_id
from tests.audit.lineage.rows import outcome, table


def pairs(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """Return the locators of pairs, old to new, for rows by their locators and texts."""
    tables = [
        table(*(outcome(f"skills:a.md#{line}", text) for line, text in rows.items())) for rows in (old, new)
    ]
    return {
        parse_row_id(old_id).locator: parse_row_id(new_id).locator
        for old_id, new_id in pair_rows(*tables).sort("old_id").iter_rows()
    }


def test_rows_that_stay_in_place_keep_their_ids() -> None:
    assert pairs({"3": "a", "5": "b"}, {"3": "a", "5": "b"}) == {"3": "3", "5": "5"}


def test_lines_below_an_insertion_are_matched_by_content() -> None:
    # As many lines as an example has: each id now belongs to the row above.
    old = {"3": "a", "5": "b", "7": "c"}
    new = {"3": "new", "5": "a", "7": "b", "9": "c"}
    assert pairs(old, new) == {"3": "5", "5": "7", "7": "9"}


def test_lines_below_a_removal_are_matched_by_content() -> None:
    assert pairs({"3": "a", "5": "b", "7": "c"}, {"3": "b", "5": "c"}) == {"5": "3", "7": "5"}


def test_swapped_rows_are_matched_by_content() -> None:
    assert pairs({"3": "a", "5": "b"}, {"3": "b", "5": "a"}) == {"3": "5", "5": "3"}


def test_an_edited_row_is_matched_by_its_line() -> None:
    assert pairs({"3": "a", "5": "call Bob"}, {"3": "a", "5": "ring Bob"}) == {"3": "3", "5": "5"}


def test_an_edited_row_below_an_insertion_is_matched_by_its_neighbors() -> None:
    old = {"3": "a", "5": "call Bob", "7": "c"}
    new = {"3": "new", "5": "a", "7": "ring Bob", "9": "c"}
    assert pairs(old, new) == {"3": "5", "5": "7", "7": "9"}


def test_of_two_candidates_the_more_similar_row_is_matched() -> None:
    old = {"3": "a", "5": "call Bob now", "7": "c"}
    assert pairs(old, {"3": "a", "5": "what is new", "7": "ring Bob now", "9": "c"}) == {
        "3": "3",
        "5": "7",
        "7": "9",
    }
    assert pairs(old, {"3": "a", "5": "ring Bob now", "7": "what is new", "9": "c"}) == {
        "3": "3",
        "5": "5",
        "7": "9",
    }


def test_equal_rows_are_paired_in_their_order() -> None:
    assert pairs({"3": "a", "9": "a", "11": "a"}, {"4": "a", "10": "a", "12": "a"}) == {
        "3": "4",
        "9": "10",
        "11": "12",
    }


def test_equal_content_in_another_file_is_not_matched() -> None:
    found = pair_rows(table(outcome("skills:a.md#3", "a")), table(outcome("skills:b.md#3", "a")))
    assert found.rows() == []


def test_rejected_rows_are_matched_by_text() -> None:
    old = table(outcome("skills:a.md#3", "x", digest=None, reason="value_not_found"))
    new = table(outcome("skills:a.md#5", "x"))
    assert pair_rows(old, new).rows() == [("skills:a.md#3", "skills:a.md#5")]


def test_relabeled_rows_are_matched_by_text() -> None:
    old = table(outcome("s:a.md#3", "x", digest="1"), outcome("s:a.md#5", "y", digest="2"))
    new = table(outcome("s:a.md#5", "x", digest="3"), outcome("s:a.md#7", "y", digest="4"))
    assert dict(pair_rows(old, new).rows()) == {"s:a.md#3": "s:a.md#5", "s:a.md#5": "s:a.md#7"}


def test_rows_of_dialogues_are_matched_by_content_after_a_removal() -> None:
    old = table(*(outcome(f"sgd:d.json#/{number}/turns/0", f"text {number}") for number in range(3)))
    new = table(*(outcome(f"sgd:d.json#/{number}/turns/0", f"text {number + 1}") for number in range(2)))
    assert dict(pair_rows(old, new).rows()) == {
        "sgd:d.json#/1/turns/0": "sgd:d.json#/0/turns/0",
        "sgd:d.json#/2/turns/0": "sgd:d.json#/1/turns/0",
    }


def test_no_rows_have_no_pairs() -> None:
    assert pair_rows(table(), table(outcome("s:a.md#1"))).rows() == []
    assert pair_rows(table(outcome("s:a.md#1")), table()).rows() == []


_FILES = st.lists(st.sampled_from("abcdef"), max_size=8)


@given(_FILES, _FILES)
def test_no_row_is_in_two_pairs_and_all_equal_rows_are_paired(old: list[str], new: list[str]) -> None:
    found = pairs(*({str(line): text for line, text in enumerate(rows, 1)} for rows in (old, new)))
    assert len(set(found.values())) == len(found)
    alike = sum(min(old.count(text), new.count(text)) for text in set(old))
    assert sum(old[int(line) - 1] == new[int(new_line) - 1] for line, new_line in found.items()) == alike
    assert len(found) <= min(len(old), len(new))
