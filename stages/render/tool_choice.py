"""Which tools each prompt shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from exemplars.core.digests import hash_to_fraction
from exemplars.core.records import Exemplar
from exemplars.dataset.texts import make_equality_key
from exemplars.models.turns import TurnRows
from stages.render.params import RenderParams
from stages.render.ranked_lists import assign_ranked_tools
from stages.render.tool_needs import ToolNeed
from stages.render.tool_ranking import ToolRanker


def choose_tools(
    turns: Sequence[TurnRows],
    names: Sequence[str],
    params: RenderParams,
    rows_per_list: int,
    rank_tools: ToolRanker | None = None,
) -> dict[str, tuple[str, ...]]:
    """Choose the tools that the prompt of each turn shows, by the turn's id.

    names: all skills of the catalog, sorted. rows_per_list: see `assign_tools`. rank_tools: ranks all skills for each
    turn, best first; `None`: tools are sampled.
    """
    skills = group_skills_by_utterance(row for turn in turns for row in turn.rows)
    needs = [
        find_tool_need(turn, skills.get(make_utterance_key(turn.first), frozenset()), params)
        for turn in turns
    ]
    if rank_tools is None:
        return assign_tools(needs, names, params.distractors, rows_per_list)
    return assign_ranked_tools(needs, rank_tools(turns), params.distractors, rows_per_list)


def are_tools_withheld(turn: TurnRows, params: RenderParams) -> bool:
    """Return whether the right tools are withheld from the prompt, so that the answer is none."""
    return bool(turn.called_rows) and hash_to_fraction(turn.content_key, params.salt) < params.without_tool


def find_tool_need(turn: TurnRows, skills: Collection[str], params: RenderParams) -> ToolNeed:
    """Find the tools that the turn's prompt must show, and must not show.

    skills: those that rows call by the same utterance.
    """
    withheld = are_tools_withheld(turn, params)
    return ToolNeed(
        id=turn.id,
        tools=() if withheld else turn.skills,
        excluded=frozenset((*skills, *turn.skills) if withheld else set(skills).difference(turn.skills)),
        key=f"{params.salt} {turn.content_key}",
    )


def sample_tools(
    needed: Sequence[str], excluded: Collection[str], names: Sequence[str], distractors: int, key: str
) -> list[str]:
    """Sample the tools that a prompt shows; their order does not give away which of them are needed.

    needed: the tools that the turn calls or declines; if it needs no tool, one more distractor takes their place.
    excluded: tools that must not be sampled. key: the same key samples the same tools.

    >>> sample_tools(["call"], [], ["alarm", "call", "light", "music", "timer"], 2, "k")
    ['music', 'call', 'alarm']
    """
    others = [name for name in names if name not in needed and name not in excluded]
    others.sort(key=lambda name: hash_to_fraction(name, f"{key} draw"))
    shown = [*others[: distractors + (not needed)], *needed]
    return sorted(shown, key=lambda name: hash_to_fraction(name, f"{key} place"))


def assign_tools(
    needs: Sequence[ToolNeed], names: Sequence[str], distractors: int, rows_per_list: int
) -> dict[str, tuple[str, ...]]:
    """Assign the tools that each prompt shows, by the id of its turn.

    rows_per_list: the maximum number of rows that share a list of tools, so that training computes their
    common prefix once; 1: each row has its own list. A turn that needs several tools always has its own.
    """
    shared = _share_lists(needs, names, distractors + 1, rows_per_list) if rows_per_list > 1 else {}
    return {
        need.id: shared.get(need.id)
        or tuple(sample_tools(need.tools, need.excluded, names, distractors, need.key))
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

    Rows that need no tool are spread over these lists. A row is left out if it needs several tools, or if its list
    has a tool that it excludes.
    """
    shared: dict[str, tuple[str, ...]] = {}
    lists: list[tuple[str, ...]] = []
    rows_per_tool = max(1, rows_per_list // length)
    for tools, row_ids in _deal_lists(needs, names, length, rows_per_tool):
        lists.append(tools)
        shared.update(dict.fromkeys(row_ids, tools))
    free = _sort_by_key(need for need in needs if not need.tools)
    if lists:
        shared.update({need.id: lists[number % len(lists)] for number, need in enumerate(free)})
    excluded = {need.id: need.excluded for need in needs}
    return {row_id: tools for row_id, tools in shared.items() if not excluded[row_id] & set(tools)}


def _deal_lists(
    needs: Sequence[ToolNeed], names: Sequence[str], length: int, rows_per_tool: int
) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Deal all skills into lists, again in each round, until every row that needs one tool is on a list.

    Each round has its own order, so that a skill is shown with many others. Skills without rows left come
    last, and fill up lists only. Yields the tools of a list and the ids of its rows.
    """
    queues = {name: _sort_by_key(need for need in needs if need.tools == (name,)) for name in names}
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
