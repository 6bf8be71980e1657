"""Turns whose utterance or template is nearly that of another turn: joined into one group, or rejected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exemplars.core.digests import hash_to_key
from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar, Reason, TextPair
from exemplars.core.reports import count_sorted
from exemplars.core.turns import find_user_text, group_by_turn
from exemplars.dataset.embeddings import embed_texts
from exemplars.dataset.similar_pairs import SimilarPair, find_similar_pairs
from exemplars.dataset.texts import make_similarity_text
from stages.curate.clusters import cluster_texts, join_groups
from stages.curate.facts import COLUMNS, RowKeys
from stages.curate.params import DuplicateParams, OnDuplicate
from stages.curate.rows import Row, move_row
from stages.curate.semantic_pairs import find_semantic_pairs
from stages.curate.similar_texts import SimilarTexts
from stages.curate.steps.base import Curation, CurationStep


def join_near_duplicates(rows: list[Row], curation: Curation) -> list[Row]:
    """Give near duplicates one group, so that no split separates them; reject repeats by `duplicates.near`."""
    params = curation.params.duplicates
    pairs: list[TextPair] = []
    clusters: dict[str, str] = {}
    for column in COLUMNS:
        keys = list_text_keys(rows, column)
        column_pairs = _find_pairs(keys, column, curation)
        pairs += [TextPair(column, *pair) for pair in column_pairs]
        clusters |= _assign_clusters(rows, keys, column, column_pairs, curation.texts)
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
    return [move_row(row, groups) for row in kept]


def find_text_pairs(exemplars: Sequence[Exemplar], params: DuplicateParams) -> list[TextPair]:
    """Find the pairs of utterances, and of templates, that are nearly the same, sorted within each column."""
    found = []
    for column in COLUMNS:
        texts = [make_similarity_text(find_user_text(row, column)) for row in exemplars]
        pairs = _add_semantic_pairs(find_similar_pairs(texts, params.similarity), texts, column, params)
        found += [TextPair(column, *pair) for pair in pairs]
    return found


def find_row_pairs(rows: Sequence[Row], curation: Curation) -> list[TextPair]:
    """Find the pairs of texts of rows as `find_text_pairs` does."""
    return [
        TextPair(column, *pair)
        for column in COLUMNS
        for pair in _find_pairs(list_text_keys(rows, column), column, curation)
    ]


def list_text_keys(rows: Sequence[Row], column: str) -> NDArray[np.uint64]:
    """List the hashes of the texts of a column; 0 for an empty text."""
    if not rows:
        return np.empty(0, np.uint64)
    numbers = [row.number for row in rows]
    return rows[0].reader.keys[numbers, RowKeys._fields.index(column)]


def _find_pairs(keys: NDArray[np.uint64], column: str, curation: Curation) -> list[SimilarPair]:
    params, texts = curation.params.duplicates, curation.texts
    unique = texts.read(np.unique(keys[keys != 0])) if params.semantic else []
    return _add_semantic_pairs(texts.find_pairs(keys, params.similarity), unique, column, params)


def _add_semantic_pairs(
    pairs: list[SimilarPair], texts: Iterable[str], column: str, params: DuplicateParams
) -> list[SimilarPair]:
    """Add the pairs of utterances that mean nearly the same, if the parameters ask for them. pairs: known already."""
    if not params.semantic or column != "utterance":
        return pairs
    unique = sorted({text for text in texts if text})
    known = {(pair.first, pair.second) for pair in pairs}
    semantic = find_semantic_pairs(unique, embed_texts(unique), params.semantic_similarity)
    return sorted([*pairs, *(pair for pair in semantic if (pair.first, pair.second) not in known)])


def _assign_clusters(
    rows: Sequence[Row],
    keys: NDArray[np.uint64],
    column: str,
    pairs: Sequence[SimilarPair],
    texts: SimilarTexts,
) -> dict[str, str]:
    """Return the cluster of each row that is in a cluster, by id.

    keys: the hashes of the rows' texts. Rows with the same text are in one cluster, except for empty texts.
    """
    unique, counts = np.unique(keys[keys != 0], return_counts=True)
    repeated = unique[counts > 1]
    names = dict(zip(repeated.tolist(), texts.read(repeated), strict=True))
    names |= {hash_to_key(text): text for pair in pairs for text in (pair.first, pair.second)}
    rows_of_key = dict(zip(unique.tolist(), counts.tolist(), strict=True))
    first_texts = cluster_texts({text: rows_of_key[key] for key, text in names.items()}, pairs)
    clusters = {
        key: f"{column}: {first_texts.get(text, text)}"
        for key, text in names.items()
        if text in first_texts or rows_of_key[key] > 1
    }
    return {row.id: clusters[key] for row, key in zip(rows, keys.tolist(), strict=True) if key in clusters}


def find_repeat_problems(rows: Iterable[Row], clusters: Mapping[str, str]) -> dict[str, Problem]:
    """Find the rows whose cluster has an earlier turn of the same meaning: their ids, each with its problem.

    Turns mean the same if they ask for the same calls, have the same reply, and follow the same result of a tool.
    """
    problems: dict[str, Problem] = {}
    first_ids: dict[tuple[object, ...], str] = {}
    for calls in group_by_turn(rows).values():
        row = calls[0]
        if row.id in clusters:
            key = (clusters[row.id], *make_repeat_key(calls))
            first = first_ids.setdefault(key, row.id)
            if first != row.id:
                problems.update({call.id: describe_near_duplicate(first) for call in calls})
    return problems


def make_repeat_key(calls: Sequence[Row]) -> tuple[object, ...]:
    """Make a key that turns with nearly the same text have in common if one of them repeats the other.

    It is what they ask for, their reply, and the result of a tool that they follow. calls: of one turn.
    """
    keys = [call.keys for call in calls]
    return keys[0].result, *sorted(key.meaning for key in keys)


def describe_near_duplicate(first: str) -> Problem:
    """Describe the problem of a turn that nearly repeats another. first: the id of that turn's first call."""
    return Problem(
        Reason.NEAR_DUPLICATE,
        found="a near duplicate",
        summary=f"the text is nearly that of {first}, with the same meaning",
        fix="reword it, or remove it",
    )


STEP: Final = CurationStep("near duplicates", join_near_duplicates)
