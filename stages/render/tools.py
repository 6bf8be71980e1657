"""Which tools a prompt shows, and how."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from exemplars.core.digests import stable_fraction
from exemplars.core.records import Exemplar
from exemplars.dataset.catalog import Skill
from exemplars.dataset.texts import normalize_text

_TYPES = {"integer": "int", "number": "float", "boolean": "bool"}


def signature(skill: Skill) -> str:
    """The skill on one line: `set_timer(minutes:int, label)`, `light(action=on|off)`."""
    parameters = []
    for one in skill.parameters:
        if one.enum:
            parameters.append(f"{one.name}={'|'.join(one.enum)}")
        else:
            type_ = _TYPES.get(one.type or "")
            parameters.append(f"{one.name}:{type_}" if type_ else one.name)
    return f"{skill.name}({', '.join(parameters)})"


def drawn_tools(
    needed: str | None, barred: Collection[str], names: Sequence[str], distractors: int, key: str
) -> list[str]:
    """The names of the tools that a prompt shows, in an order that does not tell which is needed.

    needed: the tool that the row calls or declines; null: one distractor more is drawn in its place.
    barred: what must not be drawn, since it would be another right answer.
    key: what the draw depends on, beside the names: the same key draws the same tools.
    """
    others = [name for name in names if name != needed and name not in barred]
    others.sort(key=lambda name: stable_fraction(name, f"{key} draw"))
    shown = others[: distractors + (needed is None)]
    if needed is not None:
        shown.append(needed)
    return sorted(shown, key=lambda name: stable_fraction(name, f"{key} place"))


class Need(NamedTuple):
    """What a row asks of the tools that its prompt shows."""

    id: str
    tool: str | None
    """The tool that must be shown; null: none must."""
    barred: frozenset[str]
    """The tools that must not be: another right answer, or the right one where the answer is to be none."""
    key: str
    """What draws depend on."""


def tools_of_rows(
    needs: Sequence[Need], names: Sequence[str], distractors: int, rows_a_list: int
) -> dict[str, tuple[str, ...]]:
    """The tools that the prompt of each row shows, by the row's id.

    rows_a_list: how many rows share one list of tools, at most: what is the same in front of them is then
    computed once in training. 1: each row has a list of its own.
    """
    shared = _shared_lists(needs, names, distractors + 1, rows_a_list) if rows_a_list > 1 else {}
    return {
        one.id: shared.get(one.id) or tuple(drawn_tools(one.tool, one.barred, names, distractors, one.key))
        for one in needs
    }


def _shared_lists(
    needs: Sequence[Need], names: Sequence[str], length: int, rows_a_list: int
) -> dict[str, tuple[str, ...]]:
    """Lists that several rows share: in each round all skills are dealt anew into lists of `length`."""
    left = {name: [one for one in needs if one.tool == name] for name in names}
    for rows in left.values():
        rows.sort(key=lambda one: stable_fraction(one.key, "deal"))
    each = max(1, rows_a_list // length)
    found: dict[str, tuple[str, ...]] = {}
    lists: list[tuple[str, ...]] = []
    turn = 0
    while any(left.values()):
        order = sorted(names, key=lambda name: (not left[name], stable_fraction(name, f"round {turn}")))
        for start in range(0, len(order), length):
            tools = order[start : start + length]
            if not any(left[name] for name in tools):
                break
            shown = tuple(sorted(tools, key=lambda name: stable_fraction(name, f"place {turn}")))
            lists.append(shown)
            for name in tools:
                found.update({one.id: shown for one in left[name][:each]})
                left[name] = left[name][each:]
        turn += 1
    silent = sorted(
        (one for one in needs if one.tool is None), key=lambda one: stable_fraction(one.key, "deal")
    )
    for number, one in enumerate(silent):
        found.update({one.id: lists[number % len(lists)]} if lists else {})
    barred = {one.id: one.barred for one in needs}
    return {row: shown for row, shown in found.items() if not barred[row] & set(shown)}


def skills_of_utterances(exemplars: Iterable[Exemplar]) -> Mapping[tuple[str, str], frozenset[str]]:
    """The skills that rows of a group call by one utterance: a turn may mean something to two services."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in exemplars:
        if one.skill is not None:
            found[utterance_key(one)].add(one.skill)
    return {key: frozenset(skills) for key, skills in found.items()}


def utterance_key(exemplar: Exemplar) -> tuple[str, str]:
    """What rows of one utterance have in common."""
    return exemplar.group, normalize_text(exemplar.utterance)
