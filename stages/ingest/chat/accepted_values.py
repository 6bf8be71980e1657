"""The accepted values of BFCL's answers: one call, with the other values that count as right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from exemplars.core.slot_paths import Segments, flatten_arguments, format_path

LEFT_OUT: Final = ""
"""What BFCL writes for an argument that may be left out."""
_NOTHING: Final = object()


class AcceptedCall(NamedTuple):
    """The arguments of a call, and what else is accepted."""

    arguments: dict[str, Any]
    accepted: dict[str, tuple[Any, ...]]
    """By the path of the leaf; an empty text: it may be left out."""


def read_accepted_values(answer: Mapping[str, Any]) -> AcceptedCall:
    """Read the arguments of an answer, each with a list of accepted values; objects in them have such lists, too.

    The first value that says something is chosen. An argument is left out if it may be, and has no such value.
    Of a list, another list is accepted item by item: the n-th accepted value of each item is of the n-th other list.
    Lists of another length cannot be said, and are dropped.

    >>> read_accepted_values({"unit": ["km", "m", ""], "far": ["", True], "at": [""]})
    AcceptedCall(arguments={'unit': 'km', 'far': True}, accepted={'unit': ('m', ''), 'far': ('',)})
    >>> read_accepted_values({"who": [["Ada", "Bo"], ["Bo", "Ada"], ["Ada"]], "to": [{"city": ["Rome", "Roma"]}]})
    AcceptedCall(arguments={'who': ['Ada', 'Bo'], 'to': {'city': 'Rome'}}, \
accepted={'who[0]': ('Bo',), 'who[1]': ('Ada',), 'to.city': ('Roma',)})
    """
    accepted: dict[str, tuple[Any, ...]] = {}
    return AcceptedCall(_choose_members(answer, (), accepted), accepted)


def _choose_members(
    answer: Mapping[str, Any], segments: Segments, accepted: dict[str, tuple[Any, ...]]
) -> dict[str, Any]:
    members = {name: _choose(values, (*segments, name), accepted) for name, values in answer.items()}
    return {name: value for name, value in members.items() if value is not _NOTHING}


def _choose(values: Any, segments: Segments, accepted: dict[str, tuple[Any, ...]]) -> Any:
    """Choose the first of the accepted values of an argument, and note the others."""
    if not isinstance(values, list) or not values:
        return values
    may_be_left_out = any(isinstance(value, str) and value == LEFT_OUT for value in values)
    options = [value for value in values if value not in ("", None)] if may_be_left_out else values
    if not options:
        return _NOTHING
    chosen = _choose_inside(options[0], segments, accepted)
    leaves = _list_leaves(chosen, segments)
    others = [_list_leaves(_choose_inside(other, segments, {}), segments) for other in options[1:]]
    for path in leaves:
        same = [other[path] for other in others if other.keys() == leaves.keys()]
        known = accepted.get(path, ())
        values_of_leaf = (*known, *same, *([LEFT_OUT] if may_be_left_out and LEFT_OUT not in known else []))
        if values_of_leaf:
            accepted[path] = values_of_leaf
    return chosen


def _choose_inside(value: Any, segments: Segments, accepted: dict[str, tuple[Any, ...]]) -> Any:
    if isinstance(value, Mapping):
        return _choose_members(value, segments, accepted)
    if not isinstance(value, list):
        return value
    return [_choose_inside(item, (*segments, index), accepted) for index, item in enumerate(value)]


def _list_leaves(value: Any, segments: Segments) -> dict[str, Any]:
    """List the leaves of a value by their paths from the call."""
    try:
        leaves = flatten_arguments({"value": value})
    except ValueError:  # Nested too deeply: the call is rejected for that.
        return {}
    start = format_path(segments)
    return {f"{start}{path.removeprefix('value')}": leaf for path, leaf in leaves}
