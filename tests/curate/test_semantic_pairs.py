from __future__ import annotations

import numpy as np

from exemplars.dataset.embeddings import embed_texts
from exemplars.dataset.similar_pairs import SimilarPair
from stages.curate.semantic_pairs import find_semantic_pairs
from tests.curate.embedding_model import needs_model


def test_pairs_are_those_whose_cosine_is_high_enough() -> None:
    vectors = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]], dtype=np.float32)
    assert find_semantic_pairs(["a", "b", "c"], vectors, 0.7) == [SimilarPair("a", "b", 0.8)]
    assert find_semantic_pairs(["c", "b", "a"], vectors, 0.5) == [
        SimilarPair("a", "b", 0.6),
        SimilarPair("b", "c", 0.8),
    ]


@needs_model
def test_paraphrases_are_pairs_and_other_requests_are_not() -> None:
    texts = ["turn the light off", "switch off the light", "what is the weather in Oslo"]
    pairs = find_semantic_pairs(texts, embed_texts(texts), 0.8)
    assert [(pair.first, pair.second) for pair in pairs] == [("switch off the light", "turn the light off")]
