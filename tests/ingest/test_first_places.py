from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stages.ingest.sgd.first_places import FirstPlaces


@given(st.lists(st.lists(st.integers(0, 30).map(str))), st.sampled_from([1, 3, 4096]))
def test_a_dialogue_that_came_before_is_found_at_its_first_place(files: list[list[str]], recent: int) -> None:
    places = FirstPlaces(recent)
    first: dict[str, str] = {}
    for number, names in enumerate(files):
        expected = {}
        for index, name in enumerate(names):
            place = first.setdefault(name, f"{number}.json#/{index}")
            if place != f"{number}.json#/{index}":
                expected[index] = place
        assert places.add(f"{number}.json", list(enumerate(names))) == expected
