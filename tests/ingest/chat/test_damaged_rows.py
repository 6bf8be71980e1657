"""Rows with any part replaced: no exception, each id once, and nothing but rows and rejections."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exemplars.core.records import Record
from exemplars.dataset.leaves import build_arguments
from stages.ingest.chat.conversations import Dialect
from tests.ingest.chat.rows import (
    TOOL,
    ask,
    find_skills,
    make_call,
    make_row,
    read_folder,
    say,
    write_lines,
)
from tests.ingest.chat.test_calls_come_back import WRITERS

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("get_weather", {"city": "Oslo", "days": 2}),
    ("get_weather", {"city": "Rome"}),
]
ROWS = [WRITERS[dialect](CALLS, [TOOL["function"]]) for dialect in Dialect if dialect in WRITERS] + [
    make_row(
        say("Be brief.", "system"),
        say("Weather in Oslo?"),
        ask(make_call(city="Oslo"), text="One moment."),
        say("rain", "tool"),
        say("Rain.", "assistant"),
    )
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda children: (
        st.lists(children, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "required", "items", "anyOf", "$ref", "role", "name", "a"]
            ),
            children,
            max_size=3,
        )
    ),
    max_leaves=5,
)


def list_paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the paths of all parts of a value, but for the whole."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [found for key, child in children for found in ((*path, key), *list_paths(child, (*path, key)))]


@st.composite
def damaged_rows(draw: st.DrawFn) -> Any:
    row = copy.deepcopy(draw(st.sampled_from(ROWS)))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(list_paths(row)))
        parent = row
        for key in path[:-1]:
            parent = parent[key]
        old = parent[path[-1]]
        parent[path[-1]] = draw(JSON)
        if isinstance(old, str) and draw(st.booleans()):  # A text that is cut.
            parent[path[-1]] = old[: draw(st.integers(0, len(old)))]
    return row


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(damaged_rows(), min_size=1, max_size=3))
def test_damaged_rows_are_rows_or_rejections_with_one_id_each(rows: list[Any], tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", *rows, ROWS[-1])
    records, rejections = read_folder(tmp_path)
    ids = [row.id for row in (*records, *rejections)]
    assert len(ids) == len(set(ids))
    found = {row.origin.locator.split("/")[0] for row in (*records, *rejections)}
    assert found == {str(number) for number in range(1, len(rows) + 2)}
    assert all("\n" not in row.message and row.message.startswith("a.jsonl:") for row in rejections)
    last = [row.id for row in records if row.origin.locator.startswith(f"{len(rows) + 1}/")]
    assert last == [
        f"mine:a.jsonl#{len(rows) + 1}/messages/2/tool_calls/0",
        f"mine:a.jsonl#{len(rows) + 1}/messages/4",
    ]


CYCLE = {"$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}}}


@pytest.mark.parametrize(
    ("parameters", "arguments"),
    [
        ({**CYCLE, "properties": {"a": {"$ref": "#/$defs/node"}}}, {"a": {"next": {}}}),
        ({"properties": {"a": {"anyOf": [{"type": "integer"}, {"type": "array"}]}}}, {"a": [1, "1"]}),
        (
            {"properties": {"a": {"type": "array", "items": [{"type": "string"}, {"type": "integer"}]}}},
            {"a": ["1", 1]},
        ),
        (
            {"properties": {"class": {"type": "string"}, "a.b": {}, "a[0]": {}}},
            {"class": "x", "a.b": 1, "a[0]": [2]},
        ),
        ({"properties": {"a": True}}, {"a": "x"}),
        ({"properties": {"a": {"type": "any"}}}, {"a": [{"b": None}]}),
        ({"properties": {"a": {"type": ["string", "null"]}}}, {"a": None}),
        ({"type": "object"}, {}),
    ],
)
def test_any_json_schema_gives_a_row(tmp_path: Path, parameters: Any, arguments: Any) -> None:
    tools = [{"name": "f", "description": ["no text"], "parameters": {"type": "object", **parameters}}]
    write_lines(tmp_path / "a.jsonl", make_row(say("Go"), ask(make_call("f", **arguments)), tools=tools))
    records, rejections = read_folder(tmp_path)
    assert rejections == []
    [record] = [row for row in records if isinstance(row, Record)]
    leaves = [(label.slot, label.value) for label in record.arguments]
    assert json.dumps(build_arguments(leaves, find_skills(tmp_path)["f"])) == json.dumps(arguments)


@pytest.mark.parametrize("tools", [json.dumps([TOOL]), [TOOL], TOOL, [TOOL["function"]]])
def test_tools_may_be_a_text_a_list_or_one_tool(tmp_path: Path, tools: Any) -> None:
    write_lines(tmp_path / "a.jsonl", make_row(say("Weather?"), ask(make_call(city="Oslo")), tools=tools))
    [record], rejections = read_folder(tmp_path)
    assert (record.skill, rejections) == ("get_weather", [])


def test_each_row_of_a_file_has_its_own_dialect(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", *ROWS[:-1])
    records, rejections = read_folder(tmp_path)
    assert rejections == []
    assert len(records) == len(CALLS) * (len(ROWS) - 1)


@pytest.mark.parametrize(
    "value",
    ["{1: 2}", "{1, 2}", "(1, 2)", 'b"x"', "1j", "[[]" * 40 + "]" * 40, "9" * 5000, "{'a': {None: 1}}"],
)
def test_a_value_of_python_that_json_has_not_is_one_sentence(tmp_path: Path, value: str) -> None:
    tools = json.dumps([{"name": "f", "parameters": {"type": "object", "properties": {"a": {}}}}])
    turns = [("system", tools), ("user", "Go"), ("assistant", f"[f(a={value})]")]
    row = {"conversations": [{"from": role, "value": text} for role, text in turns]}
    write_lines(tmp_path / "a.jsonl", row, ROWS[-1])
    records, [rejection] = read_folder(tmp_path)
    assert len(records) == 2
    assert rejection.message.startswith("a.jsonl:1#/conversations/2/tool_calls/0: found ")
    assert rejection.message.endswith("which is not a call, expected calls with literals, such as f(a=1)")


def test_keys_of_a_map_of_parquet_are_texts(tmp_path: Path) -> None:
    tools = json.dumps([{"name": "f", "parameters": {"type": "object", "properties": {"a": {}}}}])
    row = {
        "query": "Go",
        "tools": tools,
        "answers": [{"name": "f", "arguments": {"a": [(1, "x"), (2, "y")]}}],
    }
    call = pa.struct({"name": pa.string(), "arguments": pa.struct({"a": pa.map_(pa.int64(), pa.string())})})
    schema = pa.schema({"query": pa.string(), "tools": pa.string(), "answers": pa.list_(call)})
    pq.write_table(pa.Table.from_pylist([row], schema), tmp_path / "a.parquet")
    [record], rejections = read_folder(tmp_path)
    assert rejections == []
    leaves = [(label.slot, label.value) for label in record.arguments]
    assert build_arguments(leaves, find_skills(tmp_path)["f"]) == {"a": {"1": "x", "2": "y"}}
