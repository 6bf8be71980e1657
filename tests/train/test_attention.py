"""Attention while an encoder is trained: the same results, by other operations."""

from __future__ import annotations

from pathlib import Path

import pytest

from exemplars.models.base_models import FolderBase, find_base, load_encoder
from tests.tiny import save_tiny_encoder

torch = pytest.importorskip("torch")


def test_an_encoder_computes_the_same_by_plain_attention_and_then_has_its_own_again(tmp_path: Path) -> None:
    from stages.train.attention import use_plain_attention

    save_tiny_encoder(tmp_path / "encoder")
    encoder = load_encoder(find_base(FolderBase(path=str(tmp_path / "encoder"), license="MIT"))).eval()
    batch = {
        "input_ids": torch.tensor([[5, 6, 7, 8], [5, 6, 0, 0]]),
        "attention_mask": torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]),
    }
    own = encoder.config._attn_implementation
    expected = encoder(**batch).last_hidden_state
    with use_plain_attention(encoder):
        assert encoder.config._attn_implementation == ("sdpa" if torch.cuda.is_available() else "eager")
        found = encoder(**batch).last_hidden_state
    assert torch.allclose(found[0], expected[0], atol=1e-5)
    assert torch.allclose(found[1, :2], expected[1, :2], atol=1e-5)
    assert encoder.config._attn_implementation == own == "sdpa"
