"""Pairs of texts on disk: in their order, counted, and replaced."""

from __future__ import annotations

from pathlib import Path

from exemplars.core.records import TextPair
from exemplars.core.schemas import PAIR_SCHEMA
from exemplars.core.table_streams import open_spool
from exemplars.core.tables import rows_from_table, rows_to_table
from stages.curate.text_pairs import TextPairs

PAIRS = [
    TextPair("exemplar", "call <contact>", "call <contact> now", 0.8),
    TextPair("utterance", "call mum", "call mum now", 0.75),
    TextPair("utterance", "stop", "stop it", 0.5),
]


def read_pairs(pairs: TextPairs) -> list[TextPair]:
    return [pair for table in pairs.read() for pair in rows_from_table(table, TextPair)]


def test_pairs_are_read_and_counted_whatever_the_parts(tmp_path: Path) -> None:
    for cut in range(4):
        with open_spool(tmp_path, PAIR_SCHEMA) as spool:
            pairs = TextPairs(spool)
            pairs.extend(rows_to_table(part, TextPair) for part in (PAIRS[:cut], PAIRS[cut:]))
            assert read_pairs(pairs) == PAIRS
            assert pairs.count_by_column() == {"exemplar": 1, "utterance": 2}


def test_lists_that_share_a_spool_keep_apart_and_are_replaced_alone(tmp_path: Path) -> None:
    with open_spool(tmp_path, PAIR_SCHEMA) as spool:
        first, second = TextPairs(spool), TextPairs(spool)
        first.extend([rows_to_table(PAIRS[:1], TextPair)])
        second.extend([rows_to_table(PAIRS[1:2], TextPair)])
        first.replace(rows_to_table(PAIRS[2:], TextPair))
        assert (read_pairs(first), read_pairs(second)) == (PAIRS[2:], PAIRS[1:2])
        second.replace(rows_to_table([], TextPair))
        assert (read_pairs(second), second.count_by_column()) == ([], {})
