from __future__ import annotations

import msgspec
import pytest

from exemplars.core.records import Argument, Exemplar, Grounding, Mode, Speaker
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.row_tables import exemplars_to_table
from exemplars.dataset.templates import write_template
from stages.validate.row_checks import check_rows
from tests.validate.rows import ROW, SKILLS, WHO


def find_broken_rules(row: Exemplar, skills: dict[str, Skill] = SKILLS) -> list[str]:
    [checks] = check_rows(exemplars_to_table([row]), skills).to_dict("records")
    return [str(rule) for rule, is_kept in checks.items() if is_kept is False]


def change_argument(argument: Argument, **fields: object) -> tuple[Argument, ...]:
    return (msgspec.structs.replace(argument, **fields),)


def test_a_row_that_keeps_the_contract_breaks_no_rule() -> None:
    assert find_broken_rules(ROW) == []


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({"skill": "ring"}, ["skill_is_known", "slots_are_known"]),
        ({"skill": None}, ["skill_is_known", "slots_are_known"]),
        ({"mode": Mode.NONE}, ["skill_is_known"]),
        ({"arguments": change_argument(WHO, slot="whom")}, ["values_are_admitted", "exemplar_agrees"]),
        (
            {"arguments": change_argument(WHO, slot="kind")},
            ["values_are_admitted", "call_fits_schema", "exemplar_agrees"],
        ),
        (
            {"arguments": (WHO, Argument("who", "x", None, None, None, Grounding.COMPOSED))},
            ["slots_are_filled_once", "arguments_fit_together", "call_fits_schema"],
        ),
        (
            {"arguments": change_argument(WHO, end=99)},
            ["spans_are_in_bounds", "surfaces_are_exact", "exemplar_agrees"],
        ),
        (
            {"arguments": change_argument(WHO, start=8, end=5)},
            ["spans_are_in_bounds", "surfaces_are_exact", "exemplar_agrees"],
        ),
        ({"arguments": change_argument(WHO, surface="Mum")}, ["surfaces_are_exact"]),
        (
            {"arguments": (WHO, Argument("kind", "home", "um", 6, 8, Grounding.VERBATIM))},
            ["spans_are_apart", "exemplar_agrees"],
        ),
        ({"arguments": change_argument(WHO, grounding=Grounding.CONTEXT)}, ["grounding_fits_span"]),
        ({"arguments": change_argument(WHO, grounding=Grounding.COMPOSED)}, ["grounding_fits_span"]),
        ({"exemplar": "call <whom> at home"}, ["exemplar_agrees"]),
        ({"call": 1}, ["calls_are_numbered"]),
        ({"reply": " \n"}, ["reply_is_text"]),
    ],
)
def test_a_broken_rule_is_named(change: dict[str, object], rules: list[str]) -> None:
    assert find_broken_rules(msgspec.structs.replace(ROW, **change)) == rules


DISH = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "count": {"type": "integer", "minimum": 1}},
    "required": ["name"],
}
ORDER = Skill(
    "order",
    parameters=(
        Parameter("dishes", type="array", schema={"type": "array", "items": DISH}, required=True),
        Parameter("loud", type="boolean"),
        Parameter("unit", default="piece"),
        Parameter("table", type="integer"),
        Parameter(
            "notes", type="array", schema={"type": "array", "items": {"type": "string"}, "default": []}
        ),
    ),
)


def order(*leaves: tuple[str, str, Grounding]) -> Exemplar:
    """Make a row that orders something, without spans."""
    arguments = tuple(Argument(path, value, None, None, None, kind) for path, value, kind in leaves)
    return msgspec.structs.replace(
        ROW, skill="order", arguments=arguments, exemplar=write_template(ROW.utterance, arguments)
    )


COMPOSED = Grounding.COMPOSED
SOUP = ("dishes[0].name", "soup", COMPOSED)


@pytest.mark.parametrize(
    ("leaves", "rules"),
    [
        ([SOUP, ("dishes[0].count", "2", COMPOSED), ("unit", "piece", Grounding.DEFAULT)], []),
        ([("dishes", "[]", Grounding.CATEGORICAL)], []),
        ([SOUP, ("dishes[1].name", "pie", COMPOSED), ("table", "dontcare", COMPOSED)], ["values_are_admitted", "call_fits_schema"]),
        ([SOUP, ("dishes[2].name", "pie", COMPOSED)], ["arguments_fit_together", "call_fits_schema"]),
        ([SOUP, ("dishes[0].name.short", "so", COMPOSED)], ["values_are_admitted", "arguments_fit_together", "call_fits_schema"]),
        ([SOUP, ("dishes[0", "2", COMPOSED)], ["paths_are_well_formed", "values_are_admitted", "arguments_fit_together", "call_fits_schema"]),
        ([SOUP, ("dishes[0].size", "big", COMPOSED)], ["values_are_admitted"]),
        ([SOUP, ("dishes[0].count", "many", COMPOSED)], ["values_are_admitted", "call_fits_schema"]),
        ([SOUP, ("dishes[0].count", "0", COMPOSED)], ["call_fits_schema"]),
        ([("dishes[0].count", "2", COMPOSED)], ["call_fits_schema"]),
        ([("unit", "piece", Grounding.DEFAULT)], ["call_fits_schema"]),
        ([SOUP, ("notes", "[]", Grounding.DEFAULT)], []),
        ([SOUP, ("notes[0]", "[]", Grounding.DEFAULT)], ["groundings_fit_values"]),
        ([SOUP, ("unit", "bowl", Grounding.DEFAULT)], ["groundings_fit_values"]),
        ([SOUP, ("unit", "bowl", Grounding.CATEGORICAL)], ["groundings_fit_values"]),
        ([SOUP, ("unit", "bowl", Grounding.DONTCARE)], ["groundings_fit_values"]),
        ([SOUP, ("unit", "True", Grounding.BOOLEAN)], ["groundings_fit_values"]),
        ([SOUP, ("loud", "True", Grounding.BOOLEAN), ("unit", "dontcare", Grounding.DONTCARE)], []),
        ([SOUP, ("unit", "bowl", Grounding.VERBATIM)], ["grounding_fits_span"]),
    ],
)  # fmt: skip
def test_nested_arguments_are_checked_by_path_and_as_a_call(
    leaves: list[tuple[str, str, Grounding]], rules: list[str]
) -> None:
    assert find_broken_rules(order(*leaves), {"order": ORDER}) == rules


def test_rows_are_checked_together_as_each_alone() -> None:
    table, pie = ("table", "2", COMPOSED), ("dishes[1].name", "pie", COMPOSED)
    leaves = (
        [SOUP],
        [SOUP, pie],
        [pie],
        [table],
        [SOUP, table, table],
        [],
        [("table", "two", COMPOSED), SOUP],
    )
    others = [{}, {"skill": "ring"}, {"skill": None}, {"mode": Mode.NEGATIVE}, {"skill": "call"}]
    rows = [msgspec.structs.replace(order(*paths), **change) for paths in leaves for change in others]
    rows = [msgspec.structs.replace(row, turn=f"s:a#{number}") for number, row in enumerate(rows)]
    skills = SKILLS | {"order": ORDER}
    together = check_rows(exemplars_to_table(rows), skills).to_dict("records")
    alone = [check_rows(exemplars_to_table([row]), skills).to_dict("records")[0] for row in rows]
    assert together == alone
    fits = {(row["arguments_fit_together"], row["call_fits_schema"]) for row in alone}
    assert fits == {(True, True), (True, False), (False, False)}


def test_a_parameter_may_refer_to_another() -> None:
    items = {"type": "array", "items": {"$ref": "#/properties/digit"}}
    digit = Parameter("digit", enum=("1", "2"))
    skill = Skill("dial", parameters=(Parameter("pin", type="array", schema=items), digit))

    def check(value: str) -> list[str]:
        arguments = (Argument("pin[0]", value, None, None, None, COMPOSED),)
        row = msgspec.structs.replace(ROW, skill="dial", exemplar=ROW.utterance, arguments=arguments)
        return find_broken_rules(row, {"dial": skill})

    assert "call_fits_schema" not in check('"1"')
    assert "call_fits_schema" in check('"3"')


def test_a_refusal_need_not_fill_what_a_call_requires() -> None:
    refusal = msgspec.structs.replace(order(), mode=Mode.NEGATIVE)
    assert find_broken_rules(refusal, {"order": ORDER}) == []
    assert find_broken_rules(order(), {"order": ORDER}) == ["call_fits_schema"]


def check_turn(*changes: dict[str, object]) -> list[tuple[bool, bool]]:
    """Check rows of one turn: whether their calls are numbered, and whether they agree."""
    rows = [
        msgspec.structs.replace(ROW, id=f"s:a#1/{number}", **{"call": number, **change})
        for number, change in enumerate(changes)
    ]
    checks = check_rows(exemplars_to_table(rows), SKILLS)
    return list(zip(checks["calls_are_numbered"], checks["turn_agrees"], strict=True))


def test_the_calls_of_a_turn_are_numbered_without_gaps_and_frames_of_services_are_not() -> None:
    assert check_turn({}, {}) == [(True, True)] * 2
    assert check_turn({}, {"call": 2}) == [(False, True)] * 2
    assert check_turn({}, {"call": 0}) == [(False, True)] * 2
    assert check_turn({"service": "A", "call": 1}, {"service": "B", "call": 3}) == [(True, True)] * 2
    assert check_turn({"service": "A"}, {"service": "B", "call": 0}) == [(False, True)] * 2


@pytest.mark.parametrize(
    "change", [{"utterance": "call dad"}, {"group": "s:b"}, {"speaker": Speaker.TOOL}, {"source": "t"}]
)
def test_the_calls_of_a_turn_agree_on_what_was_said(change: dict[str, object]) -> None:
    assert check_turn({}, change) == [(True, False)] * 2
