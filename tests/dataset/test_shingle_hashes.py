from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from exemplars.dataset.shingle_hashes import hash_shingles
from exemplars.dataset.texts import make_shingles, make_similarity_text

TEXTS = st.lists(
    st.text("ab é你👍", min_size=1, max_size=24).map(make_similarity_text).filter(bool),
    min_size=1,
    max_size=8,
)


@given(TEXTS)
@example(["a", "ab", "abcd", "a b", "a a a a a a", "a"])
def test_texts_have_as_many_hashes_as_shingles_and_share_those_of_the_shingles_that_they_share(
    texts: list[str],
) -> None:
    hashes, sizes = hash_shingles(texts)
    shingles = list(map(make_shingles, texts))
    assert sizes.tolist() == list(map(len, shingles))
    rows = [frozenset(row.tolist()) for row in np.split(hashes, np.cumsum(sizes)[:-1])]
    for row, own in zip(rows, shingles, strict=True):
        assert [len(row & other) for other in rows] == [len(own & other) for other in shingles]


def test_hashes_are_the_same_in_every_process() -> None:
    hashes, sizes = hash_shingles(["call mum"])
    assert sizes.tolist() == [6]
    assert hex(int(hashes[0])) == "0x1d4a27588e9e8000"
