"""Turns whose utterance or template is nearly that of another turn: joined into one group, or rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar, Reason, Speaker, TextPair
from exemplars.core.reports import count_sorted
from exemplars.core.turns import find_user_text, group_by_turn
from exemplars.dataset.embeddings import embed_texts
from exemplars.dataset.similar_pairs import SimilarPair, find_similar_pairs
from exemplars.dataset.texts import make_equality_key, make_similarity_text
from stages.curate.clusters import cluster_texts, join_groups
from stages.curate.meanings import format_meaning
from stages.curate.params import DuplicateParams, OnDuplicate
from stages.curate.semantic_pairs import find_semantic_pairs
from stages.curate.steps.base import Curation, CurationStep

COLUMNS: Final = ("exemplar", "utterance")
"""Columns that are compared. A row that is in a cluster of each belongs to that of the last."""


def join_near_duplicates(rows: list[Exemplar], curation: Curation) -> list[Exemplar]:
    """Give near duplicates one group, so that no split separates them; reject repeats by `duplicates.near`."""
    params = curation.params.duplicates
    pairs: list[TextPair] = []
    clusters: dict[str, str] = {}
    for column in COLUMNS:
        texts = [make_similarity_text(find_user_text(row, column)) for row in rows]
        column_pairs = _find_pairs(texts, column, params)
        pairs += [TextPair(column, *pair) for pair in column_pairs]
        clusters |= _assign_clusters(rows, texts, column, column_pairs)
    kept = rows
    if params.near is OnDuplicate.REJECT:
        kept = curation.ledger.drop(rows, find_repeat_problems(rows, clusters))
    clustered = [(row.group, row.split, clusters[row.id]) for row in kept if row.id in clusters]
    groups = join_groups(clustered, params.max_group_rows)
    curation.pairs += pairs
    curation.figures["duplicates"] = {
        "pairs": count_sorted(pair.column for pair in pairs),
        "clusters": len(set(clusters.values())),
        "clustered_rows": len(clustered),
        "joined_groups": len(groups),
    }
    return [msgspec.structs.replace(row, group=groups.get(row.group, row.group)) for row in kept]


def find_text_pairs(rows: Sequence[Exemplar], params: DuplicateParams) -> list[TextPair]:
    """Find the pairs of utterances, and of templates, that are nearly the same, sorted within each column."""
    return [
        TextPair(column, *pair)
        for column in COLUMNS
        for pair in _find_pairs(
            [make_similarity_text(find_user_text(row, column)) for row in rows], column, params
        )
    ]


def _find_pairs(texts: Sequence[str], column: str, params: DuplicateParams) -> list[SimilarPair]:
    pairs = find_similar_pairs(texts, params.similarity)
    if not params.semantic or column != "utterance":
        return pairs
    unique = sorted(set(texts))
    known = {(pair.first, pair.second) for pair in pairs}
    semantic = find_semantic_pairs(unique, embed_texts(unique), params.semantic_similarity)
    return sorted([*pairs, *(pair for pair in semantic if (pair.first, pair.second) not in known)])


def _assign_clusters(
    rows: Sequence[Exemplar], texts: Sequence[str], column: str, pairs: Iterable[SimilarPair]
) -> dict[str, str]:
    """Return the cluster of each row that is in a cluster, by id.

    texts: of the rows, reduced by `make_similarity_text`. Rows with the same text are in one cluster, except for
    empty texts.
    """
    counts = Counter(texts)
    first_texts = cluster_texts(counts, pairs)
    return {
        row.id: f"{column}: {first_texts.get(text, text)}"
        for row, text in zip(rows, texts, strict=True)
        if text in first_texts or (text and counts[text] > 1)
    }


def find_repeat_problems(rows: Iterable[Exemplar], clusters: Mapping[str, str]) -> dict[str, Problem]:
    """Find the rows whose cluster has an earlier turn of the same meaning: their ids, each with its problem.

    Turns mean the same if they ask for the same calls, have the same reply, and follow the same result of a tool.
    """
    problems: dict[str, Problem] = {}
    first_ids: dict[tuple[str, ...], str] = {}
    for calls in group_by_turn(rows).values():
        row = calls[0]
        if row.id in clusters:
            key = (clusters[row.id], *make_repeat_key(calls))
            first = first_ids.setdefault(key, row.id)
            if first != row.id:
                problems.update({call.id: describe_near_duplicate(first) for call in calls})
    return problems


def make_repeat_key(calls: Sequence[Exemplar]) -> tuple[str, ...]:
    """Make a key that turns with nearly the same text have in common if one of them repeats the other.

    It is what they ask for, their reply, and the result of a tool that they follow. calls: of one turn.
    """
    row = calls[0]
    result = row.utterance if row.speaker is Speaker.TOOL else ""
    return format_meaning(calls), make_equality_key(row.reply or ""), result


def describe_near_duplicate(first: str) -> Problem:
    """Describe the problem of a turn that nearly repeats another. first: the id of that turn's first call."""
    return Problem(
        Reason.NEAR_DUPLICATE,
        found="a near duplicate",
        summary=f"the text is nearly that of {first}, with the same meaning",
        fix="reword it, or remove it",
    )


STEP: Final = CurationStep("near duplicates", join_near_duplicates)
