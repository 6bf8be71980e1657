"""What the steps need to know of rows: computed shard by shard, so that they need not hold the rows themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from exemplars.core.digests import hash_to_key
from exemplars.core.records import Exemplar, Speaker
from exemplars.core.row_groups import RowGroups
from exemplars.core.turns import find_user_text, group_by_turn
from exemplars.dataset.row_tables import exemplars_from_table
from exemplars.dataset.similar_pairs import Sketches, compute_sketches
from exemplars.dataset.texts import make_equality_key, make_similarity_text
from stages.curate.lexicons import NameLexicon
from stages.curate.meanings import format_meaning
from stages.curate.params import CurateParams, PrivacyMode
from stages.curate.privacy.findings import Finding, build_finder
from stages.curate.quality_flags import encode_flags, find_row_flags, find_text_flags
from stages.curate.spelling import WordCounts, list_plain_words
from stages.curate.text_cache import Recall, TextCache

COLUMNS: Final = ("exemplar", "utterance")
"""Columns that are compared for near duplicates. A row that is in a cluster of each belongs to that of the last."""


class RowKeys(NamedTuple):
    """Hashes of what rows are compared by: see `hash_to_key`."""

    said: int
    """Who speaks, and what is said, in the sense of `make_equality_key`."""
    before: int
    """The turns before, as far as `conflicts.context_turns` goes."""
    reply: int
    """0: the row has no reply."""
    request: int
    """Skill, mode and values of the call, in the sense of `make_equality_key`."""
    meaning: int
    """What the call asks for: `format_meaning` of it alone."""
    result: int
    """The reply, and the result of a tool that the row follows."""
    exemplar: int
    """The template, as `make_similarity_text` reduces it; 0: nothing is left of it."""
    utterance: int
    """The utterance, likewise."""
    turn: int
    group: int


class ShardTexts(NamedTuple):
    """The different texts of `COLUMNS` of some rows."""

    keys: NDArray[np.uint64]
    """Their hashes: see `RowKeys`."""
    texts: pa.Array
    sketches: Sketches


class ShardFacts(NamedTuple):
    """What is known of the rows of a shard."""

    keys: NDArray[np.uint64]
    """The `RowKeys` of each row: (rows, keys)."""
    flags: NDArray[np.uint8]
    """What is wrong with the text of each row, apart from misspelled words: see `encode_flags`."""
    findings: dict[int, Sequence[Finding]]
    """The personal data in the utterances of rows that have any, by place."""
    has_private_reply: NDArray[np.bool_]
    """Whether there is personal data in the reply of each row."""
    has_private_context: NDArray[np.bool_]
    """Whether there is personal data in the turns before; not looked at with `privacy.mode: report`."""
    words: WordCounts
    """The words of the turns of users; a turn is named by the number of its first row."""
    texts: ShardTexts
    cache: TextCache
    """What was found in texts."""


class FactParams(NamedTuple):
    """What facts depend on in addition to rows."""

    params: CurateParams
    names: NameLexicon
    known: TextCache = TextCache()
    """What earlier runs found."""


def collect_shard_facts(settings: FactParams, rows: RowGroups, group: int) -> ShardFacts:
    """Collect the facts of a row group."""
    exemplars = exemplars_from_table(rows.read(group))
    return collect_facts(settings, exemplars, rows.starts[group])


def collect_facts(settings: FactParams, exemplars: Sequence[Exemplar], first: int = 0) -> ShardFacts:
    """Collect the facts of rows. first: the number of the first of them."""
    params = settings.params
    flag_text = Recall(partial(find_text_flags, params=params.quality), settings.known.flags, ())
    find_private = Recall(build_finder(settings.names, params.privacy.min_score), settings.known.findings, [])
    texts: dict[int, str] = {}
    keys = []
    for row in exemplars:
        similar = {column: make_similarity_text(find_user_text(row, column)) for column in COLUMNS}
        row_keys = _make_keys(row, params.conflicts.context_turns, similar)
        texts |= {getattr(row_keys, column): text for column, text in similar.items() if text}
        keys.append(row_keys)
    findings = (find_private(row.utterance) for row in exemplars)
    checks_context = params.privacy.mode is not PrivacyMode.REPORT
    return ShardFacts(
        np.array(keys, np.uint64).reshape(-1, len(RowKeys._fields)),
        np.array([encode_flags(*find_row_flags(row, flag_text)) for row in exemplars], np.uint8),
        {place: found for place, found in enumerate(findings) if found},
        np.array([row.reply is not None and bool(find_private(row.reply)) for row in exemplars], np.bool_),
        np.array(
            [
                checks_context and any(find_private(turn.utterance) for turn in row.context)
                for row in exemplars
            ],
            np.bool_,
        ),
        _count_words(exemplars, first),
        ShardTexts(
            np.fromiter(texts, np.uint64, len(texts)),
            pa.array(texts.values(), pa.string()),
            compute_sketches(list(texts.values())),
        ),
        TextCache(settings.known.key, find_private.list_used(), flag_text.list_used()),
    )


def _make_keys(row: Exemplar, context_turns: int, similar: Mapping[str, str]) -> RowKeys:
    turns = row.context[-context_turns:] if context_turns else ()
    said = (row.speaker, make_equality_key(row.utterance), make_equality_key(find_user_text(row)))
    reply = None if row.reply is None else make_equality_key(row.reply)
    values = sorted((argument.slot, make_equality_key(argument.value)) for argument in row.arguments)
    return RowKeys(
        said=hash_to_key(said),
        before=hash_to_key([make_equality_key(turn.utterance) for turn in turns]),
        reply=0 if reply is None else hash_to_key(reply),
        request=hash_to_key((row.skill or "", row.mode, values)),
        meaning=hash_to_key(format_meaning([row])),
        result=hash_to_key((reply or "", row.utterance if row.speaker is Speaker.TOOL else "")),
        **{column: hash_to_key(text) if text else 0 for column, text in similar.items()},
        turn=hash_to_key(row.turn),
        group=hash_to_key(row.group),
    )


def _count_words(exemplars: Iterable[Exemplar], first: int) -> WordCounts:
    words = WordCounts()
    users = [row for row in exemplars if row.speaker is Speaker.USER]
    numbers = {row.id: number for number, row in enumerate(exemplars, first)}
    for calls in group_by_turn(users).values():
        words.add(min(numbers[call.id] for call in calls), list_plain_words(calls))
    return words
