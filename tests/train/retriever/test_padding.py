"""Batches that are divided by length."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny import save_tiny_encoder

torch = pytest.importorskip("torch")


def test_vectors_and_gradients_are_the_same_with_less_padding(tmp_path: Path) -> None:
    from exemplars.models.base_models import FolderBase, find_base
    from exemplars.models.retriever.encoder import load_sentence_encoder
    from stages.train.retriever.padding import trim_padding

    files = find_base(FolderBase(path=str(save_tiny_encoder(tmp_path)), license="MIT"))
    encoder = load_sentence_encoder(files)
    texts = ["ring mum at work please thanks", "no", "weather in Oslo tomorrow", "set", "please set a timer"]
    whole = encoder(encoder.preprocess(texts))["sentence_embedding"]
    sizes: list[tuple[int, ...]] = []
    module = encoder[0]
    module.register_forward_pre_hook(lambda _, inputs: sizes.append(tuple(inputs[0]["input_ids"].shape)))
    with trim_padding(encoder):
        parts = encoder(encoder.preprocess(texts))["sentence_embedding"]
    assert torch.allclose(parts, whole, atol=1e-5)
    assert [size[0] for size in sizes] == [2, 2, 1]
    assert [size[1] for size in sizes] == sorted(size[1] for size in sizes)
    assert sizes[0][1] < sizes[-1][1]
    parts.square().sum().backward()
    assert module.get_parameter("model.embeddings.word_embeddings.weight").grad is not None
