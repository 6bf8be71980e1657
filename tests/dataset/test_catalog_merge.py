"""Skills that several sources define: shared, or named with both places and what differs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from exemplars.core.errors import UserError
from exemplars.dataset.catalog import Skill
from exemplars.dataset.catalog_merge import compare_skills, find_definition, merge_catalogs
from exemplars.dataset.parameters import Parameter
from tests.dataset.test_catalog import LIGHT


def test_sources_that_agree_share_a_skill() -> None:
    assert merge_catalogs({"a": [LIGHT], "b": [LIGHT]}) == (LIGHT,)


def test_sources_that_define_a_skill_differently_clash() -> None:
    first = msgspec.structs.replace(LIGHT, place="home.md:2")
    with pytest.raises(UserError) as caught:
        merge_catalogs({"a": [first], "b": [Skill("light", place="tools.json:7"), Skill("call")]})
    assert str(caught.value) == (
        "tools.json:7: clashing_skill: found skill 'light' of source 'b', which source 'a' defines differently "
        "(home.md:2): description 'Switches the light.' or '', service 'Home_1' or any, "
        "parameter 'action' only in the first and 5 more, expected one definition per name; "
        "make them equal, or rename one of the two, or set compile.same_skill to union"
    )


def test_a_skill_that_is_inferred_from_calls_gives_way_to_a_definition() -> None:
    inferred = Skill("light", parameters=(Parameter("colour"),), inferred=True)
    assert merge_catalogs({"a": [inferred], "b": [LIGHT]}) == (LIGHT,)
    assert merge_catalogs({"a": [LIGHT], "b": [inferred]}) == (LIGHT,)


def test_skills_that_are_inferred_from_calls_are_united() -> None:
    first = Skill(
        "light", parameters=(Parameter("n", type="integer"), Parameter("x", type="boolean")), inferred=True
    )
    second = Skill("light", parameters=(Parameter("x", type="integer"), Parameter("y")), inferred=True)
    assert merge_catalogs({"a": [first], "b": [second]}) == (
        Skill(
            "light",
            parameters=(Parameter("n", type="integer"), Parameter("x"), Parameter("y")),
            inferred=True,
        ),
    )


def test_the_first_place_of_a_skill_that_sources_share_is_kept() -> None:
    skills = [Skill("light", place="a.md:1")], [Skill("light", place="b.md:1")]
    assert merge_catalogs({"a": skills[0], "b": skills[1]}) == (Skill("light", place="a.md:1"),)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"type": "number"}, "parameter 'percent': type 'integer' or 'number'"),
        ({"enum": ("1", "2")}, "parameter 'percent': enum '' or '1|2'"),
        ({"required": True}, "parameter 'percent': required False or True"),
        ({"recognizer": "number"}, "parameter 'percent': recognizer any or 'number'"),
    ],
)
def test_what_differs_between_two_definitions_is_listed(change: dict[str, Any], difference: str) -> None:
    first = Parameter("percent", type="integer")
    second = msgspec.structs.replace(first, **change)
    assert compare_skills(Skill("s", parameters=(first,)), Skill("s", parameters=(second,))) == [difference]


def test_another_order_of_the_parameters_is_a_difference() -> None:
    first, second = Parameter("a"), Parameter("b")
    skills = Skill("s", parameters=(first, second)), Skill("s", parameters=(second, first))
    assert compare_skills(*skills) == ["the order of the parameters"]


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("ring", "call.md:4"),
        ("light", "tools.json:3"),
        ("Home_1", "schema.json:2"),
        ("order", "schemas.json:2"),
        ("bread", "schemas.json:2"),
        ("absent", ""),
    ],
)
def test_the_definition_of_a_skill_is_found_in_the_files_of_its_source(name: str, place: str) -> None:
    files = {
        "call.md": b"To ring somebody.\n\n#### Prompt:\nring(who=[whom])\n",
        "tools.json": b'[{"function":\n {"description": "light", \n"name" : "light"}}]',
        "schema.json": b'[{\n"service_name": "Home_1"}]',
        "schemas.json": b'{"skills": {\n"order": {"slots": ["bread"]}}}',
    }
    assert find_definition(name, files) == place
