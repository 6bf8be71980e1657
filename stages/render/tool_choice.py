"""Which tools each prompt shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from exemplars.core.digests import hash_to_fraction
from exemplars.core.records import Exemplar, Mode
from exemplars.dataset.texts import make_equality_key
from stages.render.params import RenderParams


class ToolNeed(NamedTuple):
    """What a row demands of the tools that its prompt shows."""

    id: str
    tool: str | None
    """The tool that must be shown, if any."""
    excluded: frozenset[str]
    """The tools that must not be: a different right answer, or the right tool if the answer is to be none."""
    key: str
    """Seeds the random choices."""


def choose_tools(
    exemplars: Sequence[Exemplar], names: Sequence[str], params: RenderParams, rows_per_list: int
) -> dict[str, tuple[str, ...]]:
    """Choose the tools that the prompt of each exemplar shows, by the exemplar's id.

    names: all skills of the catalog, sorted. rows_per_list: see `assign_tools`.
    """
    skills = group_skills_by_utterance(exemplars)
    needs = [
        find_tool_need(
            exemplar, skills.get(make_utterance_key(exemplar), frozenset()) - {exemplar.skill}, params
        )
        for exemplar in exemplars
    ]
    return assign_tools(needs, names, params.distractors, rows_per_list)


def find_called_skill(exemplar: Exemplar) -> str | None:
    """Return the skill that the exemplar calls; a skill that it declines is not called."""
    return None if exemplar.mode in (Mode.NONE, Mode.NEGATIVE) else exemplar.skill


def is_tool_withheld(exemplar: Exemplar, params: RenderParams) -> bool:
    """Return whether the right tool is withheld from the prompt, so that the answer is none."""
    if find_called_skill(exemplar) is None:
        return False
    return hash_to_fraction(exemplar.digest, params.salt) < params.without_tool


def find_tool_need(exemplar: Exemplar, others: Collection[str], params: RenderParams) -> ToolNeed:
    """Find the tools that the exemplar's prompt must show, and must not show.

    others: the skills that other rows call by the same utterance.
    """
    withheld = is_tool_withheld(exemplar, params)
    right_tool = [exemplar.skill] if withheld and exemplar.skill else []
    return ToolNeed(
        id=exemplar.id,
        tool=None if withheld else exemplar.skill,
        excluded=frozenset((*others, *right_tool)),
        key=f"{params.salt} {exemplar.digest}",
    )


def sample_tools(
    needed: str | None, excluded: Collection[str], names: Sequence[str], distractors: int, key: str
) -> list[str]:
    """Sample the tools that a prompt shows; their order does not give away which of them is needed.

    needed: the tool that the row calls or declines; if `None`, one more distractor takes its place.
    excluded: tools that must not be sampled. key: the same key samples the same tools.

    >>> sample_tools("call", [], ["alarm", "call", "light", "music", "timer"], 2, "k")
    ['music', 'call', 'alarm']
    """
    others = [name for name in names if name != needed and name not in excluded]
    others.sort(key=lambda name: hash_to_fraction(name, f"{key} draw"))
    shown = others[: distractors + (needed is None)]
    if needed is not None:
        shown.append(needed)
    return sorted(shown, key=lambda name: hash_to_fraction(name, f"{key} place"))


def assign_tools(
    needs: Sequence[ToolNeed], names: Sequence[str], distractors: int, rows_per_list: int
) -> dict[str, tuple[str, ...]]:
    """Assign the tools that each prompt shows, by the id of its row.

    rows_per_list: the maximum number of rows that share a list of tools, so that training computes their
    common prefix once; 1: each row has its own list.
    """
    shared = _share_lists(needs, names, distractors + 1, rows_per_list) if rows_per_list > 1 else {}
    return {
        need.id: shared.get(need.id)
        or tuple(sample_tools(need.tool, need.excluded, names, distractors, need.key))
        for need in needs
    }


def group_skills_by_utterance(exemplars: Iterable[Exemplar]) -> Mapping[tuple[str, str], frozenset[str]]:
    """Group the skills that are called by the same utterance: a turn may mean something to two services.

    The keys are those of `make_utterance_key`.
    """
    grouped: dict[tuple[str, str], set[str]] = defaultdict(set)
    for exemplar in exemplars:
        if exemplar.skill is not None:
            grouped[make_utterance_key(exemplar)].add(exemplar.skill)
    return {key: frozenset(skills) for key, skills in grouped.items()}


def make_utterance_key(exemplar: Exemplar) -> tuple[str, str]:
    """Make a key that rows of the same utterance in the same group have in common."""
    return exemplar.group, make_equality_key(exemplar.utterance)


def _share_lists(
    needs: Sequence[ToolNeed], names: Sequence[str], length: int, rows_per_list: int
) -> dict[str, tuple[str, ...]]:
    """Put rows onto lists of `length` tools, up to `rows_per_list` rows on each.

    Rows that need no tool are spread over these lists. A row is left out if its list has a tool that it
    excludes.
    """
    shared: dict[str, tuple[str, ...]] = {}
    lists: list[tuple[str, ...]] = []
    rows_per_tool = max(1, rows_per_list // length)
    for tools, row_ids in _deal_lists(needs, names, length, rows_per_tool):
        lists.append(tools)
        shared.update(dict.fromkeys(row_ids, tools))
    free = _sort_by_key(need for need in needs if need.tool is None)
    if lists:
        shared.update({need.id: lists[number % len(lists)] for number, need in enumerate(free)})
    excluded = {need.id: need.excluded for need in needs}
    return {row_id: tools for row_id, tools in shared.items() if not excluded[row_id] & set(tools)}


def _deal_lists(
    needs: Sequence[ToolNeed], names: Sequence[str], length: int, rows_per_tool: int
) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Deal all skills into lists, again in each round, until every row that needs a tool is on a list.

    Each round has its own order, so that a skill is shown with many others. Skills without rows left come
    last, and fill up lists only. Yields the tools of a list and the ids of its rows.
    """
    queues = {name: _sort_by_key(need for need in needs if need.tool == name) for name in names}
    turn = 0
    while any(queues.values()):
        order = sorted(names, key=lambda name: (not queues[name], hash_to_fraction(name, f"round {turn}")))
        for start in range(0, len(order), length):
            tools = order[start : start + length]
            if not any(queues[name] for name in tools):
                break
            row_ids = [need.id for name in tools for need in queues[name][:rows_per_tool]]
            for name in tools:
                queues[name] = queues[name][rows_per_tool:]
            yield tuple(sorted(tools, key=lambda name: hash_to_fraction(name, f"place {turn}"))), row_ids
        turn += 1


def _sort_by_key(needs: Iterable[ToolNeed]) -> list[ToolNeed]:
    return sorted(needs, key=lambda need: hash_to_fraction(need.key, "deal"))
