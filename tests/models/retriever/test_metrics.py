"""Metrics of rankings, computed by hand."""

from __future__ import annotations

import math

import msgspec
import pytest

from exemplars.models.retriever.metrics import choose_tools, rate_ranks, rate_rows
from tests.models.tagger.rows import make_row


def test_metrics_are_means_over_rows() -> None:
    figures = rate_ranks([1.0, 2.0, 4.0, math.inf], ["a", "b", "c", "d"], resamples=50)
    values = {name: figure.value for name, figure in figures.items()}
    assert values == {
        "hit_at_1": 0.25,
        "hit_at_3": 0.5,
        "hit_at_5": 0.75,
        "mrr": pytest.approx((1 + 1 / 2 + 1 / 4) / 4),
        "ndcg_at_10": pytest.approx((1 + 1 / math.log2(3) + 1 / math.log2(5)) / 4),
    }
    assert figures["hit_at_5"].low <= 0.75 <= figures["hit_at_5"].high


def test_a_report_has_each_slice_that_has_rows_with_each_system() -> None:
    rows = [make_row("ring mum", "a"), make_row("ring dad", "a"), make_row("rain", "b")]
    rows[1] = msgspec.structs.replace(rows[1], service="Phones")
    rankings = {"fused": [["a", "b"], ["b", "a"], ["a"]], "bm25": [["b", "a"], ["a", "b"], []]}
    report = rate_rows(rankings, rows, {"a", None})
    assert {name: rated["rows"] for name, rated in report.items()} == {
        "all": 3,
        "single": 2,
        "dialogue": 1,
        "seen": 2,
        "unseen": 1,
    }
    assert report["single"]["fused"]["hit_at_1"]["value"] == 0.5
    assert report["all"]["bm25"]["hit_at_1"]["value"] == 0.3333
    assert report["unseen"]["bm25"]["mrr"]["value"] == 0.0
    assert "unseen" not in rate_rows(rankings, rows, {"a", "b"})


@pytest.mark.parametrize(
    ("ranks", "min_hits", "tools"),
    [
        ([], 0.99, 1),
        ([1.0, 1.0, 1.0, 5.0], 0.75, 1),
        ([1.0, 1.0, 1.0, 5.0], 0.99, 5),
        ([2.0, math.inf], 0.99, 2),
    ],
)
def test_the_smallest_number_of_tools_with_enough_hits(
    ranks: list[float], min_hits: float, tools: int
) -> None:
    assert choose_tools(ranks, min_hits) == tools
