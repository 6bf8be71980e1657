"""Turns whose utterance or template is nearly that of another turn: joined into one group, or rejected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from exemplars.core.arrays import sort_unique
from exemplars.core.digests import hash_to_key
from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar, Reason, TextPair
from exemplars.core.turns import find_user_text
from exemplars.dataset.embeddings import embed_texts
from exemplars.dataset.similar_pairs import SimilarPair, find_similar_pairs
from exemplars.dataset.texts import make_similarity_text
from stages.curate.clusters import cluster_texts, join_groups
from stages.curate.facts import COLUMNS
from stages.curate.key_arrays import Keys, find_places, join_keys
from stages.curate.params import DuplicateParams, OnDuplicate
from stages.curate.rows import Rows
from stages.curate.semantic_pairs import find_semantic_pairs
from stages.curate.similar_texts import KeyPairs, SimilarTexts
from stages.curate.steps.base import Curation, CurationStep
from stages.curate.steps.exact_duplicates import drop_repeats
from stages.curate.turn_keys import Repeats, Turns, sort_by_turn

_NO_CLUSTER: Final = -1


def join_near_duplicates(rows: Rows, curation: Curation) -> Rows:
    """Give near duplicates one group, so that no split separates them; reject repeats by `duplicates.near`."""
    params = curation.params.duplicates
    clusters = np.full(len(rows), _NO_CLUSTER)
    counts = {}
    for column in COLUMNS:
        pairs = find_key_pairs(rows, column, curation)
        curation.pairs.extend(curation.texts.make_tables(column, pairs))
        counts[column] = len(pairs.firsts)
        own = _assign_clusters(rows[column], pairs, curation.texts)
        clusters = np.where(own == _NO_CLUSTER, clusters, own + clusters.max(initial=_NO_CLUSTER) + 1)
    kept = rows
    if params.near is OnDuplicate.REJECT:
        kept = drop_repeats(rows, _find_repeats(rows, clusters), describe_near_duplicate, curation)
    in_cluster = (clusters != _NO_CLUSTER) & np.isin(rows.numbers, kept.numbers)
    clustered = rows.select(in_cluster)
    joined_groups = _join_groups(kept, clustered, clusters[in_cluster], params.max_group_rows)
    curation.figures["duplicates"] = {
        "pairs": {column: count for column, count in counts.items() if count},
        "clusters": len(sort_unique(clusters[clusters != _NO_CLUSTER])),
        "clustered_rows": len(clustered),
        "joined_groups": joined_groups,
    }
    return kept


def find_text_pairs(exemplars: Sequence[Exemplar], params: DuplicateParams) -> list[TextPair]:
    """Find the pairs of utterances, and of templates, that are nearly the same, sorted within each column."""
    found = []
    for column in COLUMNS:
        texts = [make_similarity_text(find_user_text(row, column)) for row in exemplars]
        pairs = find_similar_pairs(texts, params.similarity)
        if params.semantic and column == "utterance":
            pairs = _add_semantic_pairs(pairs, texts, params)
        found += [TextPair(column, *pair) for pair in pairs]
    return found


def find_key_pairs(rows: Rows, column: str, curation: Curation) -> KeyPairs:
    """Find the pairs of texts of rows as `find_text_pairs` does."""
    params, texts, keys = curation.params.duplicates, curation.texts, rows[column]
    pairs = texts.find_pairs(keys, params.similarity)
    if not params.semantic or column != "utterance":
        return pairs
    known = zip(
        *(texts.read(side).to_pylist() for side in pairs[:2]), pairs.similarities.tolist(), strict=True
    )
    unique = texts.read(sort_unique(keys[keys != 0])).to_pylist()
    found = _add_semantic_pairs([SimilarPair(*pair) for pair in known], unique, params)
    firsts, seconds = (np.array([hash_to_key(pair[side]) for pair in found], np.uint64) for side in (0, 1))
    return KeyPairs(firsts, seconds, np.array([pair.similarity for pair in found]))


def _add_semantic_pairs(
    pairs: list[SimilarPair], texts: Iterable[str], params: DuplicateParams
) -> list[SimilarPair]:
    """Add the pairs of texts that mean nearly the same. pairs: known already."""
    unique = sorted({text for text in texts if text})
    known = {(pair.first, pair.second) for pair in pairs}
    semantic = find_semantic_pairs(unique, embed_texts(unique), params.semantic_similarity)
    return sorted([*pairs, *(pair for pair in semantic if (pair.first, pair.second) not in known)])


def _assign_clusters(keys: Keys, pairs: KeyPairs, texts: SimilarTexts) -> NDArray[np.int64]:
    """Return the cluster of each row, as a number in the order of the first texts; or `_NO_CLUSTER`.

    keys: the hashes of the rows' texts. Rows with the same text are in one cluster, except for empty texts.
    """
    unique, counts = np.unique(keys[keys != 0], return_counts=True)
    has_others = (counts > 1) | np.isin(unique, np.concatenate(pairs[:2]))
    unique, counts = unique[has_others], counts[has_others]
    by_text = texts.sort(unique)
    ranks = np.argsort(by_text)
    firsts = cluster_texts(counts[by_text], ranks[np.searchsorted(unique, np.stack(pairs[:2], axis=1))])
    sizes = np.bincount(firsts, counts[by_text], len(firsts))
    clusters = np.where(sizes[firsts] > 1, firsts, _NO_CLUSTER)[ranks]
    return np.append(clusters, _NO_CLUSTER)[find_places(unique, keys)]


def _find_repeats(rows: Rows, clusters: NDArray[np.int64]) -> Repeats:
    """Find the turns whose cluster has an earlier turn of the same meaning."""
    turns = sort_by_turn(rows)
    own = clusters[turns.order[turns.starts]]
    return turns.find_repeats(join_keys(own, hash_meanings(turns)), own != _NO_CLUSTER)


def hash_meanings(turns: Turns) -> Keys:
    """Hash what turns with nearly the same text have in common if one of them repeats the other.

    It is what they ask for, their reply, and the result of a tool that they follow.
    """
    return join_keys(turns.get_first("result"), turns.hash_all("meaning"))


def _join_groups(kept: Rows, clustered: Rows, clusters: NDArray[np.int64], max_rows: int) -> int:
    """Move rows whose group shares a cluster with an earlier group to that group; return how many groups are moved.

    kept: the rows to move. clustered: those that are in a cluster. clusters: theirs.
    """
    keys, names, groups = _sort_groups(clustered)
    roots = join_groups(groups, clustered.rank_texts("split"), clusters, max_rows)
    is_moved = roots != np.arange(len(keys))
    by_key = np.argsort(keys)
    own = np.append(by_key, -1)[find_places(keys[by_key], kept["group"])]
    to_move = np.append(is_moved, False)[own]
    targets = sort_unique(roots[is_moved])
    kept.select(to_move).move(
        keys[roots[own[to_move]]],
        dict(zip(keys[targets].tolist(), names.take(pa.array(targets)).to_pylist(), strict=True)),
    )
    return int(is_moved.sum())


def _sort_groups(rows: Rows) -> tuple[Keys, pa.Array, NDArray[np.int64]]:
    """Return the keys of the groups of rows in the order of their names, the names, and the place of each row's."""
    keys, first, places = np.unique(rows["group"], return_index=True, return_inverse=True)
    names = rows.table.read_texts("group", rows.numbers[first])
    by_name = pc.sort_indices(names)
    return keys[by_name.to_numpy()], names.take(by_name), np.argsort(by_name.to_numpy())[places]


def describe_near_duplicate(first: str) -> Problem:
    """Describe the problem of a turn that nearly repeats another. first: the id of that turn's first call."""
    return Problem(
        Reason.NEAR_DUPLICATE,
        found="a near duplicate",
        summary=f"the text is nearly that of {first}, with the same meaning",
        fix="reword it, or remove it",
    )


STEP: Final = CurationStep("near duplicates", join_near_duplicates)
