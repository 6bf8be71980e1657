from __future__ import annotations

import json

import pytest

from exemplars.audit.json_places import JsonPlaces

DOCUMENT = """\
[
  {"id": "a", "turns": [
    {"text": "he said \\"[x]\\", {really}"},
    {"a/b": {"~": 1}}
  ]},
  []
]
"""


@pytest.mark.parametrize(
    ("pointer", "line"),
    [("", 1), ("/0", 2), ("/0/turns/0/text", 3), ("/0/turns/1/a~1b/~0", 4), ("/1", 6), ("/0/turns/9/x", 2)],
)
def test_a_pointer_leads_to_its_line_or_as_far_as_it_goes(pointer: str, line: int) -> None:
    assert JsonPlaces(DOCUMENT).find_line(pointer) == line


@pytest.mark.parametrize("text", ["", "no JSON", '{"a": ', "[1, ", '{"a" 1}', "[" * 100_000])
def test_a_damaged_document_is_on_its_first_line(text: str) -> None:
    assert JsonPlaces(text).find_line("/a/0") == 1


def test_every_value_of_a_pretty_document_is_found() -> None:
    text = json.dumps({"a": [1, {"b": "c"}, None], "d": {"e": [True, 2.5]}}, indent=1)
    places = JsonPlaces(text)
    lines = text.splitlines()
    for pointer, value in {"/a/0": "1", "/a/1/b": '"c"', "/a/2": "null", "/d/e/1": "2.5"}.items():
        assert value in lines[places.find_line(pointer) - 1]


def test_values_on_one_line_have_columns() -> None:
    places = JsonPlaces('{"é": [{"text": "a"}, {"text": "b"}]}')
    assert [places.find_place(pointer) for pointer in ("/é/0", "/é/1", "/é/1/text")] == [
        (1, 8),
        (1, 23),
        (1, 32),
    ]
