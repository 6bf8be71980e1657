from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest

from exemplars.dataset.similar_pairs import compute_sketches
from exemplars.dataset.sketch_file import SketchFile

TEXTS = ["call my mother", "call my mother now", "play some jazz", "stop", "play some more jazz"]
KEYS = np.array([5, 2, 9, 1, 2**63], np.uint64)


@pytest.mark.parametrize("cuts", [[], [5], [2], [0, 1, 1, 4]])
def test_sketches_are_read_as_they_were_added_whatever_the_parts(cuts: list[int]) -> None:
    whole, file = compute_sketches(TEXTS), SketchFile(BytesIO())
    for start, end in zip([0, *cuts], [*cuts, len(TEXTS)], strict=True):
        file.append(KEYS[start:end], compute_sketches(TEXTS[start:end]))
    np.testing.assert_array_equal(file.read_keys(), KEYS)
    for texts in ([0, 1, 2, 3, 4], [1, 4], [2], []):
        chosen = np.array(texts, np.int64)
        bands, sizes, bitmaps = file.read(chosen)
        np.testing.assert_array_equal(np.stack(list(bands), axis=1), whole.bands[chosen])
        np.testing.assert_array_equal(sizes, whole.sizes[chosen])
        np.testing.assert_array_equal(bitmaps, whole.bitmaps[chosen])


def test_a_file_without_texts_has_empty_bands() -> None:
    file = SketchFile(BytesIO())
    bands, sizes, bitmaps = file.read(np.empty(0, np.int64))
    assert {len(band) for band in bands} == {0}
    assert (len(file.read_keys()), sizes.shape, bitmaps.shape) == (0, (0,), (0, 4))
