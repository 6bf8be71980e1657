"""Documents of users that are too deep or too large, or are not what their form promises."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.documents import RepeatedKeyError, decode_json, may_repeat_keys
from exemplars.core.yaml_documents import YamlProblem, decode_yaml


class Named(msgspec.Struct):
    name: str = ""


@pytest.mark.parametrize("type_", [Any, Named, list[msgspec.Raw]])
def test_json_that_is_nested_too_deep_is_refused(type_: Any) -> None:
    lists = b"[" * 100_000 + b"]" * 100_000
    with pytest.raises(msgspec.DecodeError):
        decode_json(lists if type_ is not Named else b'{"other": ' + lists + b"}", type_)


def test_the_depth_of_json_is_bounded_exactly() -> None:
    assert decode_json(b"[" * 100 + b"]" * 100)
    with pytest.raises(msgspec.DecodeError, match=r"^JSON is nested more than 100 levels deep$"):
        decode_json(b"[" * 101 + b"]" * 101)


def test_bytes_that_are_not_utf_8_are_a_decode_error() -> None:
    with pytest.raises(msgspec.DecodeError, match=r"^JSON is malformed: text that is not UTF-8"):
        decode_json(b'"\xe9"')


@pytest.mark.parametrize(
    ("text", "key", "line", "column"),
    [
        ('{"a": 1, "a": 1}', "a", 1, 10),
        ('{"a": {"b": 1,\n  "b": 2}}', "b", 2, 3),
        ('[{"a": "x:y"}, {"é": ":", "a" : 1, "a"\n: 2}]', "a", 1, 36),
        ('{"a": 1, "\\u0061": 2}', "a", 1, 10),
        ('{"a": "\\u003a", "a": 2}', "a", 1, 17),
        ('{"a": "say \\": b", "c\\"": 1, "c\\"": 2}', 'c"', 1, 30),
        ('{"big": 123456789012345678901234567890, "a": 1, "a": 2}', "a", 1, 49),
    ],
)
@pytest.mark.parametrize("type_", [Any, msgspec.Raw])
def test_a_key_twice_in_one_object_is_refused_with_its_place(
    text: str, key: str, line: int, column: int, type_: Any
) -> None:
    for data in (text, text.encode()):
        with pytest.raises(RepeatedKeyError) as caught:
            decode_json(data, type_)
        assert (caught.value.key, caught.value.line, caught.value.column) == (key, line, column)


@given(
    st.recursive(
        st.text('":\\{},é') | st.integers(-5, 5), lambda nested: st.dictionaries(st.text('":a'), nested)
    )
)
def test_documents_without_repeated_keys_are_accepted_by_the_fast_check(document: Any) -> None:
    for text in (json.dumps(document), json.dumps(document, ensure_ascii=False, indent=1)):
        assert not may_repeat_keys(text)
        assert not may_repeat_keys(text.encode())
        assert decode_json(text) == document


def make_bomb(link: str) -> str:
    """Make 8 values, each of nine times the one before."""
    lines = ["a: &a [x]" if link == "*" else "a: &a {x: 1}"]
    for old, new in zip("abcdefgh", "bcdefghi", strict=True):
        aliases = ",".join([f"*{old}"] * 9)
        lines.append(f"{new}: &{new} [{aliases}]" if link == "*" else f"{new}: &{new} {{<<: [{aliases}]}}")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "found", "line"),
    [
        ("a:\n  " + "[" * 100_000, "values nested more than 100 levels deep", 2),
        (make_bomb("*"), "more than 100,000 values, counting each alias in full", 6),
        (make_bomb("<<"), "more than 100,000 values, counting each alias in full", 6),
        ("a: &a [*a]", "an alias of 'a', which is not complete before it", 1),
        ("a: 1\nb: *c", "an alias of 'c', which is not complete before it", 2),
        ("a: 2024-13-45", "a value that cannot be read: month must be in 1..12", None),
        ("a: [", "did not find expected node content", 2),
        ("a: \0", "characters that YAML does not allow", None),
    ],
)
def test_yaml_that_is_damaged_or_a_bomb_is_refused(text: str, found: str, line: int | None) -> None:
    with pytest.raises(YamlProblem) as caught:
        decode_yaml(text)
    assert (caught.value.found, caught.value.line) == (found, line)


def test_aliases_and_merges_are_read() -> None:
    assert decode_yaml("a: &a {x: 1}\nb: {<<: *a, y: 2}\nc: *a") == {
        "a": {"x": 1},
        "b": {"x": 1, "y": 2},
        "c": {"x": 1},
    }
