"""The heads of the network."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")


def test_outputs_with_the_same_description_share_what_is_not_their_own() -> None:
    from exemplars.models.tagger.network import Head

    torch.manual_seed(0)
    head = Head(4, 3, 2)
    head.vectors[:] = torch.tensor([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    states = torch.randn(5, 4)
    shared = head(states) - head.own(states)
    assert torch.allclose(shared[:, 0], shared[:, 2])
    assert float(shared[:, 1].detach().abs().max()) < 1e-6
    head(states)[:, 0].sum().backward()
    assert head.shared.weight.grad is not None
    with torch.no_grad():
        head.shared.weight -= head.shared.weight.grad
    moved = head(states) - head.own(states)
    assert torch.allclose(moved[:, 0], moved[:, 2])
    assert float(moved[:, 2].detach().sum()) < float(shared[:, 2].detach().sum())


def test_an_average_without_tokens_is_zero() -> None:
    from exemplars.models.tagger.network import _average

    states = torch.tensor([[[1.0], [3.0]], [[5.0], [7.0]]])
    assert _average(states, torch.tensor([[1, 1], [0, 0]])).tolist() == [[2.0], [0.0]]
