"""The lighter code for sentence encoders gives the vectors of sentence-transformers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from exemplars.models.base_models import BaseFiles, FolderBase, find_base
from tests.conftest import PROJECT
from tests.tiny import save_tiny_encoder

pytest.importorskip("sentence_transformers")
TEXTS = ["ring mum at work", "", "set a timer for ten minutes | thanks " * 9, "no", "what is the weather"]


@pytest.fixture
def files(tmp_path: Path) -> BaseFiles:
    """An encoder as a retriever saves it."""
    from exemplars.models.retriever.encoder import load_sentence_encoder, save_encoder

    plain = find_base(FolderBase(path=str(save_tiny_encoder(tmp_path / "plain")), license="MIT"))
    (tmp_path / "saved").mkdir()
    save_encoder(load_sentence_encoder(plain), tmp_path / "saved")
    return BaseFiles("saved", str(tmp_path / "saved"), {}, "", "MIT")


@pytest.mark.parametrize("dimensions", [None, 8])
def test_vectors_and_tokens_are_the_same(files: BaseFiles, dimensions: int | None) -> None:
    from exemplars.models.retriever.encoder import (
        Prompts,
        count_tokens,
        encode_documents,
        encode_queries,
        load_sentence_encoder,
        set_window,
    )
    from exemplars.models.retriever.light_encoder import load_light_sentence_encoder

    light, whole = load_light_sentence_encoder(Path(files.folder)), load_sentence_encoder(files)
    assert light is not None
    for encoder in (light, whole):
        set_window(encoder, 24, Prompts("query: ", ""), dimensions)
    for encode in (encode_queries, encode_documents):
        vectors = encode(light, TEXTS)
        assert vectors.shape == (5, dimensions or 32)
        np.testing.assert_allclose(vectors, encode(whole, TEXTS), atol=1e-5)
    assert encode_queries(light, []).shape == (0, dimensions or 32)
    assert [count_tokens(light, text) for text in TEXTS] == [count_tokens(whole, text) for text in TEXTS]


def test_modules_that_are_not_known_are_left_to_sentence_transformers(files: BaseFiles) -> None:
    from exemplars.models.retriever.light_encoder import load_light_sentence_encoder

    pooling = Path(files.folder) / "1_Pooling/config.json"
    kept = pooling.read_text(encoding="utf-8")
    pooling.write_text(kept.replace('"mean"', '"cls"'), encoding="utf-8")
    assert load_light_sentence_encoder(Path(files.folder)) is None
    pooling.write_text(kept, encoding="utf-8")
    modules = Path(files.folder) / "modules.json"
    listed = json.loads(modules.read_bytes())
    dense = {**listed[-1], "type": "sentence_transformers.base.modules.dense.Dense"}
    modules.write_text(json.dumps([*listed, dense]), encoding="utf-8")
    assert load_light_sentence_encoder(Path(files.folder)) is None


def test_a_retriever_is_loaded_without_sentence_transformers(tmp_path: Path) -> None:
    code = (
        "import sys; import exemplars.models.retriever.retriever; "
        "assert 'sentence_transformers' not in sys.modules; assert 'transformers' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(PROJECT)})
    assert done.returncode == 0
