from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exemplars.audit.lineage.pairing import paired
from tests.audit.lineage.rows import state, table


def pairs(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """Ids of pairs, old to new, for rows by their ids and texts."""
    tables = [
        table(*(state(f"skills:a.md#{place}", text) for place, text in rows.items())) for rows in (old, new)
    ]
    return {
        one.rpartition("#")[2]: other.rpartition("#")[2]
        for one, other in paired(*tables).sort("old_id").iter_rows()
    }


def test_rows_that_stay_where_they_are_are_pairs_of_one_id() -> None:
    assert pairs({"3": "a", "5": "b"}, {"3": "a", "5": "b"}) == {"3": "3", "5": "5"}


def test_lines_below_an_insertion_are_known_by_their_content() -> None:
    # As many lines as an example has: each id now belongs to the row above.
    old = {"3": "a", "5": "b", "7": "c"}
    new = {"3": "new", "5": "a", "7": "b", "9": "c"}
    assert pairs(old, new) == {"3": "5", "5": "7", "7": "9"}


def test_lines_below_a_removal_are_known_by_their_content() -> None:
    assert pairs({"3": "a", "5": "b", "7": "c"}, {"3": "b", "5": "c"}) == {"5": "3", "7": "5"}


def test_swapped_rows_are_not_changed_ones() -> None:
    assert pairs({"3": "a", "5": "b"}, {"3": "b", "5": "a"}) == {"3": "5", "5": "3"}


def test_an_edited_row_stays_the_row_of_its_line() -> None:
    assert pairs({"3": "a", "5": "call Bob"}, {"3": "a", "5": "ring Bob"}) == {"3": "3", "5": "5"}


def test_an_edited_row_below_an_insertion_is_found_between_its_neighbours() -> None:
    old = {"3": "a", "5": "call Bob", "7": "c"}
    new = {"3": "new", "5": "a", "7": "ring Bob", "9": "c"}
    assert pairs(old, new) == {"3": "5", "5": "7", "7": "9"}


def test_of_an_edited_row_and_a_new_one_beside_it_the_more_alike_is_the_row() -> None:
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


def test_equal_content_in_another_file_is_another_row() -> None:
    found = paired(table(state("skills:a.md#3", "a")), table(state("skills:b.md#3", "a")))
    assert found.rows() == []


def test_rejected_rows_are_known_by_their_text() -> None:
    old = table(state("skills:a.md#3", "x", digest=None, reason="value_not_found"))
    new = table(state("skills:a.md#5", "x"))
    assert paired(old, new).rows() == [("skills:a.md#3", "skills:a.md#5")]


def test_relabelled_rows_are_known_by_their_text() -> None:
    old = table(state("s:a.md#3", "x", digest="1"), state("s:a.md#5", "y", digest="2"))
    new = table(state("s:a.md#5", "x", digest="3"), state("s:a.md#7", "y", digest="4"))
    assert dict(paired(old, new).rows()) == {"s:a.md#3": "s:a.md#5", "s:a.md#5": "s:a.md#7"}


def test_rows_of_dialogues_are_known_by_content_when_a_dialogue_goes() -> None:
    old = table(*(state(f"sgd:d.json#/{number}/turns/0", f"text {number}") for number in range(3)))
    new = table(*(state(f"sgd:d.json#/{number}/turns/0", f"text {number + 1}") for number in range(2)))
    assert dict(paired(old, new).rows()) == {
        "sgd:d.json#/1/turns/0": "sgd:d.json#/0/turns/0",
        "sgd:d.json#/2/turns/0": "sgd:d.json#/1/turns/0",
    }


def test_no_rows_have_no_pairs() -> None:
    assert paired(table(), table(state("s:a.md#1"))).rows() == []
    assert paired(table(state("s:a.md#1")), table()).rows() == []


_FILES = st.lists(st.sampled_from("abcdef"), max_size=8)


@given(_FILES, _FILES)
def test_no_row_is_in_two_pairs_and_all_equal_rows_find_a_partner(old: list[str], new: list[str]) -> None:
    found = pairs(*({str(line): text for line, text in enumerate(rows, 1)} for rows in (old, new)))
    assert len(set(found.values())) == len(found)
    alike = sum(min(old.count(text), new.count(text)) for text in set(old))
    assert sum(old[int(one) - 1] == new[int(other) - 1] for one, other in found.items()) == alike
    assert len(found) <= min(len(old), len(new))
