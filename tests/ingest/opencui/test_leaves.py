from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exemplars.core.slot_paths import assemble_arguments
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameter_schemas import parse_property
from stages.ingest.opencui.leaves import Leaf, assign_paths, find_leaves, list_skill_leaves

DISH = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "extras": {"type": "array", "items": {"type": "string"}},
        "sauce": {"type": "object", "properties": {"kind": {"type": "string"}}},
    },
}
SKILL = Skill(
    "order",
    parameters=(
        parse_property("dishes", {"type": "array", "items": DISH}),
        parse_property("tags", {"type": "array", "items": {"type": "string"}}),
        parse_property("note", {"type": "string"}),
    ),
)
LEAVES = list_skill_leaves(SKILL)


def find(*names: str) -> list[tuple[str, Leaf]]:
    return [(name, find_leaves(name, LEAVES)[0]) for name in names]


def test_the_leaves_of_nested_parameters_have_the_names_of_their_paths() -> None:
    assert [leaf.names for leaf in LEAVES] == [
        ("dishes.name", "name"),
        ("dishes.extras", "extras"),
        ("dishes.sauce.kind", "kind"),
        ("tags",),
        ("note",),
    ]


def test_what_is_mentioned_again_belongs_to_the_next_item() -> None:
    names = find("name", "extras", "extras", "kind", "name", "extras", "tags", "tags", "note")
    assert assign_paths(names) == [
        "dishes[0].name",
        "dishes[0].extras[0]",
        "dishes[0].extras[1]",
        "dishes[0].sauce.kind",
        "dishes[1].name",
        "dishes[1].extras[0]",
        "tags[0]",
        "tags[1]",
        "note",
    ]


def test_a_path_says_itself_which_item_is_meant() -> None:
    assert assign_paths(find("dishes[1].name", "dishes[0].name", "dishes.extras")) == [
        "dishes[1].name",
        "dishes[0].name",
        "dishes[0].extras[0]",
    ]


@given(
    st.lists(
        st.sampled_from(["name", "extras", "kind", "tags", "dishes.name", "dishes.sauce.kind"]), max_size=12
    )
)
def test_the_paths_of_mentions_are_different_and_leave_no_item_out(names: list[str]) -> None:
    paths = assign_paths(find(*names))
    assert len(set(paths)) == len(paths) == len(names)
    assert all(SKILL.find_parameter(path) is not None for path in paths)
    arguments = assemble_arguments([(path, "x") for path in paths])
    assert set(arguments) <= {"dishes", "tags"}
