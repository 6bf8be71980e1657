from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest

from exemplars.dataset.similar_pairs import compute_sketches
from exemplars.dataset.sketch_file import SketchFile

TEXTS = ["call my mother", "call my mother now", "play some jazz", "stop", "play some more jazz"]


@pytest.mark.parametrize("cuts", [[], [5], [2], [0, 1, 1, 4]])
def test_sketches_are_read_as_they_were_added_whatever_the_parts(cuts: list[int]) -> None:
    whole, file = compute_sketches(TEXTS), SketchFile(BytesIO())
    for start, end in zip([0, *cuts], [*cuts, len(TEXTS)], strict=True):
        file.append(compute_sketches(TEXTS[start:end]))
    np.testing.assert_array_equal(np.stack(list(file.read_bands()), axis=1), whole.bands)
    np.testing.assert_array_equal(file.read_sizes(), whole.sizes)
    np.testing.assert_array_equal(file.read_bitmaps(), whole.bitmaps)


def test_a_file_without_texts_has_empty_bands() -> None:
    file = SketchFile(BytesIO())
    assert {len(band) for band in file.read_bands()} == {0}
    assert file.read_bitmaps().shape == (0, 4)
