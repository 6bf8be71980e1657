"""Which tools prompts show where a ranking says what a retriever would show.

The tools of a prompt are in the order of the ranking, best first: a model learns how far to trust it.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

from exemplars.core.digests import hash_to_fraction
from stages.render.tool_needs import ToolNeed

_SPARE_TOOLS: Final = 2
"""The number of tools that a shared list may leave out although they are ranked better than one of its own."""


def assign_ranked_tools(
    needs: Sequence[ToolNeed], rankings: Sequence[Sequence[str]], distractors: int, rows_per_list: int
) -> dict[str, tuple[str, ...]]:
    """Assign the tools that each prompt shows, by the id of its turn.

    rankings: for each need the names of all skills, best first. rows_per_list: the maximum number of rows that share a
    list of tools; 1: each row shows the best ranked tools in addition to those that it needs. A turn that needs several
    tools always has its own list.
    """
    allowed = [
        [name for name in ranking if name not in need.excluded]
        for need, ranking in zip(needs, rankings, strict=True)
    ]
    shown = {
        need.id: pick_ranked_tools(need, ranking, distractors)
        for need, ranking in zip(needs, allowed, strict=True)
    }
    if rows_per_list > 1:
        options = {
            need.id: list(_list_options(need, ranking, distractors))
            for need, ranking in zip(needs, allowed, strict=True)
            if len(need.tools) <= 1
        }
        keys = {need.id: need.key for need in needs}
        order = sorted(options, key=lambda row_id: hash_to_fraction(keys[row_id], "deal"))
        shown |= _share_lists({row_id: options[row_id] for row_id in order}, rows_per_list)
    return shown


def pick_ranked_tools(need: ToolNeed, ranking: Sequence[str], distractors: int) -> tuple[str, ...]:
    """Pick the needed tools and the best ranked others, in the order of the ranking.

    ranking: the names of the tools that may be shown, best first.

    >>> pick_ranked_tools(ToolNeed("r", ("call",), frozenset(), "k"), ["light", "music", "timer", "call"], 2)
    ('light', 'music', 'call')
    """
    others = [name for name in ranking if name not in need.tools]
    kept = {*need.tools, *others[: distractors + (not need.tools)]}
    return tuple(name for name in ranking if name in kept)


def _list_options(need: ToolNeed, ranking: Sequence[str], distractors: int) -> Iterator[tuple[str, ...]]:
    """Yield the lists of tools that can be shown for a row that needs at most one tool, the best list first.

    Each begins with the best ranked tool. The others are the needed one and well ranked ones, by name, so that rows
    whose rankings differ only in later places have lists in common.
    """
    head, rest = ranking[:1], ranking[1:]
    fixed = [name for name in need.tools if name not in head]
    pool = [name for name in rest if name not in fixed]
    count = distractors - len(fixed)
    if not head or count < 0:
        yield pick_ranked_tools(need, ranking, distractors)
        return
    for chosen in combinations(pool[: count + _SPARE_TOOLS], min(count, len(pool))):
        yield (*head, *sorted([*fixed, *chosen]))


def _share_lists(
    options: Mapping[str, Sequence[tuple[str, ...]]], rows_per_list: int
) -> dict[str, tuple[str, ...]]:
    """Put each row onto one of its lists, in rounds that use a list once at most.

    options: the lists of each row, by its id. Returns the list of each row.
    """
    shared: dict[str, tuple[str, ...]] = {}
    while len(shared) < len(options):
        remaining = {row_id: lists for row_id, lists in options.items() if row_id not in shared}
        for tools, row_ids in _fill_lists(remaining, rows_per_list):
            shared.update(dict.fromkeys(row_ids, tools))
    return shared


def _fill_lists(
    options: Mapping[str, Sequence[tuple[str, ...]]], rows_per_list: int
) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield lists with the rows on them: always next the list that most of the remaining rows can share."""
    waiting: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for row_id, lists in options.items():
        for tools in lists:
            waiting[tools].append(row_id)
    placed: set[str] = set()
    heap = [(-len(row_ids), tools) for tools, row_ids in waiting.items()]
    heapq.heapify(heap)
    while heap:
        size, tools = heapq.heappop(heap)
        row_ids = [row_id for row_id in waiting[tools] if row_id not in placed]
        if len(row_ids) < -size:  # Other lists took some of its rows since it was put onto the heap.
            waiting[tools] = row_ids
            if row_ids:
                heapq.heappush(heap, (-len(row_ids), tools))
            continue
        placed.update(row_ids[:rows_per_list])
        yield tools, row_ids[:rows_per_list]
