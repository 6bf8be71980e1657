from __future__ import annotations

from exemplars.core.reports import MAX_METRICS, build_row_metrics


def test_metrics_are_twelve_at_most_and_name_the_sources_with_the_most_rejections() -> None:
    rejections = {f"source_{number:02}": number for number in range(30)}
    metrics = build_row_metrics(100, rejections, near_duplicates=4, to_review=5)
    by_source = metrics.pop("rejected_by_source")
    assert len(metrics) + len(by_source) == MAX_METRICS
    assert by_source == {f"source_{number:02}": number for number in range(23, 30)}
    assert metrics == {
        "rows_in": 535,
        "kept": 100,
        "rejected": 435,
        "near_duplicates": 4,
        "to_review": 5,
    }


def test_metrics_without_a_rejection_name_no_source() -> None:
    assert build_row_metrics(3, {}) == {"rows_in": 3, "kept": 3, "rejected": 0}
