"""`reports/render.json` and its details, and the data of the plot of row lengths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from exemplars.core.ids import SplitName
from exemplars.core.reports import build_row_metrics, count_sorted, format_summary
from exemplars.models.rows import View
from stages.render.preferences import RenderedPreferences
from stages.render.training_rows import RenderedSplit

BIN_TOKENS: Final = 16
"""The width of a bin of the plot."""
_QUESTIONS: Final = (View.PAIR, View.YES_NO)
"""The views whose answers are about no call."""


def build_render_report(
    splits: Mapping[SplitName, RenderedSplit], preferences: RenderedPreferences
) -> dict[str, Any]:
    """Build the report of the stage, by split."""
    return {
        "exemplars": sum(split.kept + len(split.rejections) for split in splits.values()),
        "prompts": sum(len(split.rows) for split in splits.values()),
        "rejected": sum(len(split.rejections) for split in splits.values()),
        "rejections_by_source": count_sorted(
            rejection.source for split in splits.values() for rejection in split.rejections
        ),
        "splits": {name: _summarize_split(split) for name, split in splits.items()},
        "preferences": _summarize_preferences(preferences),
    }


def build_render_metrics(report: Mapping[str, Any]) -> dict[str, Any]:
    """Build the metrics of the stage from its report."""
    splits = report["splits"].values()
    return build_row_metrics(
        report["exemplars"] - report["rejected"],
        report["rejections_by_source"],
        prompts=report["prompts"],
        tokens=sum(split["tokens"] for split in splits),
        supervised_tokens=sum(split["supervised_tokens"] for split in splits),
        longest_prompt=max(split["longest"] for split in splits),
    )


def summarize_render(splits: Mapping[SplitName, RenderedSplit], preferences: RenderedPreferences) -> str:
    """Summarize the stage in a line for people."""
    kept = sum(split.kept for split in splits.values())
    reasons = count_sorted(rejection.reason for split in splits.values() for rejection in split.rejections)
    line = format_summary("render", kept, reasons)
    if not any(preferences):
        return line
    reasons = count_sorted(rejection.reason for rejection in preferences.rejections)
    count = len(preferences.rows) + len(preferences.validation)
    rest = format_summary("render", count, reasons, "preferences")
    return f"{line}; {rest.removeprefix('render: ')}"


def list_length_bins(splits: Mapping[SplitName, RenderedSplit]) -> list[dict[str, Any]]:
    """Build the data of the plot: for each split, the number of rows in each bin of tokens."""
    data = []
    for name, split in splits.items():
        bins = Counter(len(row.input_ids) // BIN_TOKENS * BIN_TOKENS for row in split.rows)
        data += [{"split": name, "tokens": start, "rows": count} for start, count in sorted(bins.items())]
    return data


def _summarize_preferences(preferences: RenderedPreferences) -> dict[str, Any]:
    return {
        "read": sum(map(len, preferences)),
        "rows": len(preferences.rows),
        "validation": len(preferences.validation),
        "pairs": sum(row.is_pair for row in preferences.rows),
        "rows_by_source": count_sorted(row.source for row in preferences.rows),
        "rejections": len(preferences.rejections),
        "rejections_by_reason": count_sorted(rejection.reason for rejection in preferences.rejections),
    }


def _summarize_split(split: RenderedSplit) -> dict[str, Any]:
    lengths = sorted(len(row.input_ids) for row in split.rows)
    return {
        "rows": len(split.rows),
        "rows_by_view": count_sorted(row.view for row in split.rows),
        "rows_that_call_nothing": sum(not row.calls and row.view not in _QUESTIONS for row in split.rows),
        "rejections_by_reason": count_sorted(rejection.reason for rejection in split.rejections),
        "tokens": sum(lengths),
        "supervised_tokens": sum(len(row.input_ids) - row.prompt_tokens for row in split.rows),
        "longest": lengths[-1] if lengths else 0,
        "median": lengths[len(lengths) // 2] if lengths else 0,
    }
