from __future__ import annotations

import msgspec
import pytest

from exemplars.core.records import Argument, Exemplar, Grounding, Mode
from stages.validate.row_checks import check_rows
from tests.validate.rows import ROW, SKILLS, WHO

RULES = (
    "skill_is_known",
    "slots_are_known",
    "values_are_admitted",
    "slots_are_filled_once",
    "spans_are_in_bounds",
    "surfaces_are_exact",
    "spans_are_apart",
    "grounding_fits_span",
    "exemplar_agrees",
)


def find_broken_rules(row: Exemplar) -> list[str]:
    [checks] = check_rows([row], SKILLS)
    return [rule for rule in RULES if not getattr(checks, rule)]


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
        ({"arguments": change_argument(WHO, slot="kind")}, ["values_are_admitted", "exemplar_agrees"]),
        (
            {"arguments": (WHO, Argument("who", "x", None, None, None, Grounding.CATEGORICAL))},
            ["slots_are_filled_once"],
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
        ({"exemplar": "call <whom> at home"}, ["exemplar_agrees"]),
    ],
)
def test_a_broken_rule_is_named(change: dict[str, object], rules: list[str]) -> None:
    assert find_broken_rules(msgspec.structs.replace(ROW, **change)) == rules
