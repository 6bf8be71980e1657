"""The divergence of LSR, computed by hand for two questions with three examples each."""

from __future__ import annotations

import math

import pytest

from stages.train.recipe_params import Direction, Lsr

torch = pytest.importorskip("torch")
SCORES = [[math.log(0.5), math.log(0.25), math.log(0.25)], [math.log(0.8), math.log(0.1), math.log(0.1)]]
LIKELIHOODS = [[math.log(0.25), math.log(0.25), math.log(0.5)], [math.log(0.8), math.log(0.1), math.log(0.1)]]


@pytest.mark.parametrize(
    ("direction", "divergence"),
    [
        # Q = (1/4, 1/4, 1/2) and P = (1/2, 1/4, 1/4): KL(Q || P) = log(1/2) / 4 + 0 + log(2) / 2; the second row is 0.
        (Direction.FORWARD, (math.log(0.5) / 4 + math.log(2) / 2) / 2),
        # KL(P || Q) = log(2) / 2 + 0 + log(1/2) / 4.
        (Direction.REVERSE, (math.log(2) / 2 + math.log(0.5) / 4) / 2),
    ],
)
def test_the_divergence_of_two_questions(direction: Direction, divergence: float) -> None:
    from stages.train.lsr.loss import compute_divergence

    recipe = Lsr(direction=direction, retriever_temperature=1.0, generator_temperature=1.0)
    loss = compute_divergence(torch.tensor(SCORES), torch.tensor(LIKELIHOODS), recipe)
    assert float(loss) == pytest.approx(divergence, abs=1e-6)


@pytest.mark.parametrize(
    ("direction", "divergence"),
    [
        # P = (0.8, 0.1, 0.1), Q = (1/3, 1/3, 1/3).
        (Direction.FORWARD, (math.log(1 / 2.4) + 2 * math.log(1 / 0.3)) / 3),
        (Direction.REVERSE, 0.8 * math.log(2.4) + 0.2 * math.log(0.3)),
    ],
)
def test_the_directions_differ_and_temperatures_divide(direction: Direction, divergence: float) -> None:
    from stages.train.lsr.loss import compute_divergence

    recipe = Lsr(direction=direction, retriever_temperature=0.5, generator_temperature=2.0)
    scores = torch.tensor([SCORES[1], SCORES[1]]) * 0.5
    loss = compute_divergence(scores, torch.zeros(2, 3), recipe)
    assert float(loss) == pytest.approx(divergence, abs=1e-6)
