from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exemplars.core.slot_paths import assemble_arguments, flatten_arguments
from exemplars.dataset.catalog import Skill
from exemplars.dataset.leaves import rank_path
from exemplars.dataset.parameter_schemas import parse_property
from exemplars.dataset.parameters import Parameter
from exemplars.models.calls import Call, CallFormat, format_calls
from exemplars.models.grammar import build_call_grammar

xgrammar = pytest.importorskip("xgrammar")
jsonschema = pytest.importorskip("jsonschema")

TIMER = Skill("set_timer", parameters=(Parameter("minutes", type="integer"), Parameter("label")))
LIGHT = Skill(
    "light",
    parameters=(
        Parameter("action", enum=("on", "off"), dontcare=True),
        Parameter("dim", type="boolean", dontcare=True),
    ),
)
STOP = Skill("stop")
TOOLS = (TIMER, LIGHT, STOP)


Match = Callable[[Sequence[Skill], str, CallFormat], bool]


@pytest.fixture(scope="module")
def matches() -> Match:
    """Tell whether the grammar of tools derives a text."""
    vocabulary = [bytes([byte]) for byte in range(256)] + ["</s>"]
    info = xgrammar.TokenizerInfo(vocabulary, stop_token_ids=[256])
    compiler = xgrammar.GrammarCompiler(info)

    def match(tools: Sequence[Skill], text: str, form: CallFormat) -> bool:
        compiled = compiler.compile_grammar(xgrammar.Grammar.from_ebnf(build_call_grammar(tools, form)))
        matcher = xgrammar.GrammarMatcher(compiled)
        return bool(matcher.accept_string(text)) and bool(matcher.accept_token(256))

    return match


@pytest.mark.parametrize("form", list(CallFormat))
@pytest.mark.parametrize(
    "call",
    [
        None,
        Call("stop", {}),
        Call("set_timer", {}),
        Call("set_timer", {"minutes": 5}),
        Call("set_timer", {"label": 'the "big" pie, äöü 🥧'}),
        Call("set_timer", {"minutes": -5, "label": "a\\b\n"}),
        Call("light", {"action": "off", "dim": True}),
        Call("light", {"action": "dontcare", "dim": "dontcare"}),
    ],
)
def test_calls_of_the_tools_are_admitted(matches: Match, call: Call | None, form: CallFormat) -> None:
    assert matches(TOOLS, format_calls([] if call is None else [call], form), form)


@pytest.mark.parametrize(
    "text",
    [
        "none",
        "fly()",
        "set_timer(hours=5)",
        "set_timer(minutes=05)",
        'set_timer(minutes="5")',
        'set_timer(minutes="dontcare")',
        'set_timer(label="x", minutes=5)',
        "set_timer(minutes=5, minutes=6)",
        'light(action="dim")',
        "light(dim=true)",
        "stop(now=True)",
        'set_timer(label="x)',
        "set_timer(minutes=5,)",
        "set_timer(minutes=5) and more",
        "set_timer(minutes=None)",
        "[]",
        "[stop()]",
        "[stop(), fly()]",
        "[stop(), None]",
        "stop(), stop()",
    ],
)
def test_other_texts_are_not(matches: Match, text: str) -> None:
    assert not matches(TOOLS, text, CallFormat.PYTHON)


@pytest.mark.parametrize("form", list(CallFormat))
def test_several_calls_are_admitted(matches: Match, form: CallFormat) -> None:
    calls = [Call("stop", {}), Call("set_timer", {"minutes": 5}), Call("stop", {})]
    assert matches(TOOLS, format_calls(calls, form), form)


@pytest.mark.parametrize("form", list(CallFormat))
def test_names_with_any_signs_are_admitted(matches: Match, form: CallFormat) -> None:
    tool = Skill('find "inn"', parameters=(Parameter("zip code"), Parameter("2fa", type="boolean")))
    call = Call(tool.name, {"zip code": "02134\x01", "2fa": True})
    assert matches([tool], format_calls([call], form), form)


def make_tool(schema: Mapping[str, Any]) -> Skill:
    """Make a tool with one parameter `a`."""
    return Skill("f", parameters=(parse_property("a", schema),))


DISH = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "count": {"type": "integer"},
        "spice": {"enum": ["mild", 3, None]},
    },
    "required": ["count"],
}
DISHES = {"type": "array", "items": DISH, "minItems": 1, "maxItems": 2}


@pytest.mark.parametrize(
    ("schema", "value", "is_admitted"),
    [
        (DISHES, [{"name": "soup", "count": 2, "spice": None}], True),
        (DISHES, [{"count": 2}, {"count": 1, "spice": 3}], True),
        (DISHES, [], False),
        (DISHES, [{"count": 1}, {"count": 1}, {"count": 1}], False),
        (DISHES, [{"name": "soup"}], False),
        (DISHES, [{"count": 2, "name": "soup"}], False),
        (DISHES, [{"count": 2, "count2": 2}], False),
        (DISHES, [{"count": "2"}], False),
        (DISHES, {"count": 2}, False),
        ({"type": ["string", "null"]}, None, True),
        ({"type": "integer", "nullable": True}, None, True),
        ({"type": "string", "format": "date"}, None, False),
        ({"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "integer"}]}, [1, 2], True),
        ({"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "integer"}]}, 1.5, False),
        ({"allOf": [DISH, {"required": ["name"]}]}, {"name": "soup", "count": 1}, True),
        ({"allOf": [DISH, {"required": ["name"]}]}, {"count": 1}, False),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": 1, "b": 2}, True),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": "1"}, False),
        (
            {"type": "object", "properties": {"a": {}}, "additionalProperties": True},
            {"a": [1], "b": {}},
            True,
        ),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": True}, {"b": {}}, True),
        ({"type": "object", "properties": {}, "additionalProperties": False}, {}, True),
        ({"type": "array", "items": False}, [1], False),
        ({"type": "array", "maxItems": 0}, [], True),
        (
            {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
            [1, "a"],
            True,
        ),
        (
            {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
            [1],
            True,
        ),
        (
            {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
            ["a"],
            False,
        ),
        ({"type": "array", "items": [{"type": "integer"}], "minItems": 1}, [], False),
        ({"type": "array", "items": [{"type": "integer"}], "minItems": 1}, [1, "b", None], True),
        ({"type": "number"}, -1.5e-7, True),
        ({"enum": ["\x7f0", "ç1"]}, "\x7f0", True),
        ({"enum": ["\x7f0", "ç1"]}, "ç1", True),
        ({"type": "array", "items": {"x-cycle": "#/a"}}, [{"a": [1, {"b": None}]}], True),
        ({"x-cycle": "#/a"}, "x", True),
        ({"enum": [], "type": "integer"}, 1, True),
        ({"type": "array", "minItems": 3, "maxItems": 1}, [1, 2, 3], True),
    ],
)
@pytest.mark.parametrize("form", list(CallFormat))
def test_a_value_is_admitted_if_its_schema_has_it(
    matches: Match, schema: Mapping[str, Any], value: Any, is_admitted: bool, form: CallFormat
) -> None:
    text = format_calls([Call("f", {"a": value})], form)
    assert matches([make_tool(schema)], text, form) is is_admitted


def test_a_value_that_no_schema_describes_is_nested_at_most_eight_deep(matches: Match) -> None:
    tool = make_tool({"type": "array"})
    for depth, is_admitted in ((9, True), (10, False)):
        text = f"f(a={'[' * depth}{']' * depth})"
        assert matches([tool], text, CallFormat.PYTHON) is is_admitted


LITERALS = st.one_of(
    st.text(max_size=6),
    st.integers(-99, 99),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
)


@st.composite
def schemas_with_values(draw: st.DrawFn, depth: int = 3) -> tuple[dict[str, Any], Any]:
    """Draw a schema, and a value that it describes."""
    types = ["string", "integer", "number", "boolean", "null", "enum", "union"] + ["array", "object"] * bool(
        depth
    )
    type_ = draw(st.sampled_from(types))
    if type_ == "enum":
        values = draw(st.lists(LITERALS, min_size=1, max_size=3))
        return {"enum": values}, draw(st.sampled_from(values))
    if type_ == "union":
        options = draw(st.lists(schemas_with_values(0), min_size=1, max_size=3))
        return {"anyOf": [schema for schema, _ in options]}, draw(st.sampled_from(options))[1]
    if type_ == "array":
        schema, value = draw(schemas_with_values(depth - 1))
        return {"type": "array", "items": schema}, [value] * draw(st.integers(0, 3))
    if type_ == "object":
        members = draw(st.dictionaries(st.text(max_size=4), schemas_with_values(depth - 1), max_size=3))
        kept = [name for name in members if draw(st.booleans())]
        required = [name for name in kept if draw(st.booleans())]
        properties = {name: schema for name, (schema, _) in members.items()}
        schema = {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }
        return schema, {name: members[name][1] for name in kept}
    literals = {
        "string": st.text(max_size=6),
        "integer": st.integers(),
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "boolean": st.booleans(),
        "null": st.none(),
    }
    return {"type": type_}, draw(literals[type_])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(schemas_with_values(), max_size=3), st.sampled_from(CallFormat), st.integers(0, 3))
def test_every_call_of_a_tool_is_admitted(
    matches: Match, drawn: list[tuple[dict[str, Any], Any]], form: CallFormat, count: int
) -> None:
    names = [f"p{place}" for place in range(len(drawn))]
    schemas = zip(names, (schema for schema, _ in drawn), strict=True)
    tool = Skill("f", parameters=tuple(Parameter(name, schema=schema) for name, schema in schemas))
    call = Call("f", dict(zip(names, (value for _, value in drawn), strict=True)))
    assert matches([tool, Skill("stop")], format_calls([call] * count, form), form)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(schemas_with_values(), LITERALS | st.lists(LITERALS, max_size=2), st.sampled_from(CallFormat))
def test_a_value_that_its_schema_does_not_have_is_not_admitted(
    matches: Match, drawn: tuple[dict[str, Any], Any], value: Any, form: CallFormat
) -> None:
    schema = drawn[0]
    is_valid = jsonschema.Draft202012Validator(schema).is_valid(value)
    tool = Skill("f", parameters=(Parameter("a", schema=schema),))
    text = format_calls([Call("f", {"a": value})], form)
    if not is_valid:
        assert not matches([tool], text, form)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(schemas_with_values(), st.randoms(use_true_random=False))
def test_a_call_whose_members_have_any_order_is_admitted_once_they_are_ranked(
    matches: Match, drawn: tuple[dict[str, Any], Any], random: Random
) -> None:
    schema, value = drawn
    tool = Skill("f", parameters=(Parameter("a", schema=schema),))
    leaves = flatten_arguments({"a": value})
    random.shuffle(leaves)
    ranked = assemble_arguments(sorted(leaves, key=lambda leaf: rank_path(leaf[0], tool)))
    assert matches([tool], format_calls([Call("f", ranked)], CallFormat.PYTHON), CallFormat.PYTHON)


TYPES = st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"])
VALUES = st.recursive(
    LITERALS,
    lambda values: st.lists(values, max_size=2) | st.dictionaries(st.text(max_size=3), values, max_size=2),
    max_leaves=4,
)


def extend_schemas(schemas: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys: dict[str, st.SearchStrategy[Any]] = {
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
        "enum": st.lists(VALUES, max_size=3),
        "const": VALUES,
        "items": schemas | st.booleans(),
        "prefixItems": st.lists(schemas, min_size=1, max_size=3),
        "minItems": st.integers(0, 150),
        "maxItems": st.integers(0, 150),
        "properties": st.dictionaries(st.text(max_size=3), schemas, max_size=3),
        "required": st.lists(st.text(max_size=3), max_size=2, unique=True),
        "additionalProperties": schemas | st.booleans(),
        "anyOf": st.lists(schemas, min_size=1, max_size=3),
        "oneOf": st.lists(schemas, min_size=1, max_size=2),
        "allOf": st.lists(schemas, min_size=1, max_size=2),
        "nullable": st.booleans(),
        "x-cycle": st.just("#/a"),
    }
    return st.fixed_dictionaries({}, optional=keys)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.recursive(st.builds(lambda name: {"type": name}, TYPES), extend_schemas, max_leaves=6),
    st.sampled_from(CallFormat),
)
def test_every_schema_has_a_grammar(matches: Match, schema: dict[str, Any], form: CallFormat) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    for parameter in (parse_property("a", schema), Parameter("a", schema=schema)):
        assert matches([Skill("f", parameters=(parameter,))], format_calls([Call("f", {})], form), form)
