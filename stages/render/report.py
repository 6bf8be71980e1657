"""`reports/render.json`, and the data points of the plot of lengths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from exemplars.core.reports import count_sorted
from stages.render.training_rows import RenderedSplit

_BIN = 16


def render_report(splits: Mapping[str, RenderedSplit]) -> dict[str, Any]:
    """The stage in numbers, by split."""
    return {
        "prompts": sum(split.asked for split in splits.values()),
        "rejected": sum(len(split.refused) for split in splits.values()),
        "splits": {name: _split(split) for name, split in splits.items()},
    }


def length_rows(splits: Mapping[str, RenderedSplit]) -> list[dict[str, Any]]:
    """One object a split and bin of 16 tokens: how many rows are that long."""
    rows = []
    for name, split in splits.items():
        counts = Counter(len(one.input_ids) // _BIN * _BIN for one in split.ready)
        rows += [{"split": name, "tokens": start, "rows": count} for start, count in sorted(counts.items())]
    return rows


def _split(split: RenderedSplit) -> dict[str, Any]:
    lengths = sorted(len(one.input_ids) for one in split.ready)
    return {
        "rows": len(split.ready),
        "rows_by_view": count_sorted(one.prompt.view for one in split.ready),
        "rows_that_call_nothing": sum(one.prompt.skill is None for one in split.ready),
        "rejections_by_reason": count_sorted(one.reason for one in split.refused),
        "tokens": sum(lengths),
        "supervised_tokens": sum(len(one.input_ids) - one.prompt_tokens for one in split.ready),
        "longest": lengths[-1] if lengths else 0,
        "median": lengths[len(lengths) // 2] if lengths else 0,
    }
