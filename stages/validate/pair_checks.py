"""Whether near duplicates are in different splits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from exemplars.dataset.texts import make_similarity_text

_SPACES: Final = r"[\t-\r\x1c-\x1f ]+"
"""White space of ASCII, as `str.split` has it."""
_SIGNS: Final = r"[^\w\t-\r\x1c-\x1f <>]+"
"""What `make_similarity_text` leaves out of ASCII texts."""


class PairCheck(NamedTuple):
    """Two texts that are nearly the same."""

    pair: str
    similarity: float
    crosses: bool
    """The texts are in different splits."""


def check_pairs(pairs: pa.Table, splits: Mapping[str, pa.Table]) -> list[PairCheck]:
    """Check whether each verified pair of near duplicates crosses splits.

    splits: the rows of each split, by its name.
    """
    columns, firsts, seconds, similarities = (
        pairs.column(name).to_pylist() for name in ("column", "first", "second", "similarity")
    )
    texts: dict[str, set[str]] = defaultdict(set)
    for column, first, second in zip(columns, firsts, seconds, strict=True):
        texts[column] |= {first, second}
    text_splits: dict[tuple[str, str], set[str]] = defaultdict(set)
    for column, wanted in texts.items():
        for name, table in splits.items():
            for text in find_similarity_texts(table.column(column), wanted):
                text_splits[column, text].add(name)
    checks = []
    for column, first, second, similarity in zip(columns, firsts, seconds, similarities, strict=True):
        crosses = any(
            split != other
            for split in text_splits.get((column, first), ())
            for other in text_splits.get((column, second), ())
        )
        checks.append(PairCheck(f"{column}: {first} | {second}", similarity, crosses))
    return checks


def find_similarity_texts(texts: pa.ChunkedArray, wanted: Collection[str]) -> set[str]:
    """Find which of the wanted texts `make_similarity_text` makes of a column of texts.

    It is called for texts that are not ASCII alone; Arrow reduces the others, a column at a time.

    >>> find_similarity_texts(pa.chunked_array([["Call  Ann!", "Déjà vu?", "No"]]), {"call ann", "déjà vu"}) == {
    ...     "call ann", "déjà vu"}
    True
    """
    unique = pc.unique(texts)
    is_ascii = pc.string_is_ascii(unique)
    words = pc.replace_substring_regex(pc.ascii_lower(unique.filter(is_ascii)), _SIGNS, "")
    reduced = pc.utf8_trim(pc.replace_substring_regex(words, _SPACES, " "), " ")
    found = reduced.filter(pc.is_in(reduced, pa.array(sorted(wanted), reduced.type)))
    others = map(make_similarity_text, unique.filter(pc.invert(is_ascii)).to_pylist())
    return {*found.to_pylist(), *(text for text in others if text in wanted)}
