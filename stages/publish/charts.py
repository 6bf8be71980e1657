"""The page's charts, as Vega-Lite specifications."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt

from stages.publish.flow import KEPT, StageOutcome

_BAR_HEIGHT: Final = 20
_MAX_BINS: Final = 24
_MAX_BARS: Final = 40


def build_charts(
    outcomes: Sequence[StageOutcome],
    grounding: Mapping[str, int],
    skills: Mapping[str, int],
    lengths: Sequence[int],
    slices: Sequence[Mapping[str, Any]],
    model_slices: Sequence[Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Build all charts by the id of the element of the page that shows them; one without data is left out.

    grounding, skills: counts. lengths: of the utterances, in words. slices: `slice`, `share`, `low`, `high`
    and `rows` of demographic slices. model_slices: `slice`, `value`, `low`, `high` and `rows` of the exact
    match of the reference system.
    """
    charts = {
        "chart-flow": _draw_flow(outcomes),
        "chart-grounding": _draw_counts(grounding, "grounding", "arguments") if grounding else None,
        "chart-skills": _draw_counts(skills, "skill", "exemplars") if skills else None,
        "chart-lengths": _draw_lengths(lengths) if lengths else None,
        "chart-slices": _draw_intervals(slices, "share", "share of exemplars") if slices else None,
        "chart-models": _draw_intervals(model_slices, "value", "exact match") if model_slices else None,
    }
    return {name: chart.to_dict() for name, chart in charts.items() if chart is not None}


def _draw_flow(outcomes: Sequence[StageOutcome]) -> Any:
    """Draw a bar for each stage: the records that it keeps, and those that it rejects by reason."""
    stages = [outcome.stage for outcome in outcomes if outcome.outcome == KEPT]
    labels = [KEPT, *sorted({outcome.outcome for outcome in outcomes} - {KEPT})]
    rows = [
        {**outcome._asdict(), "order": labels.index(outcome.outcome)}
        for outcome in outcomes
        if outcome.records
    ]
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar()
        .encode(
            y=alt.Y("stage:N", sort=stages, title=None),
            x=alt.X("records:Q", title="records"),
            color=alt.Color(
                "outcome:N",
                sort=labels,
                scale=alt.Scale(domain=labels, scheme="tableau20"),
                legend=alt.Legend(orient="bottom", title=None),
            ),
            order=alt.Order("order:Q"),
            tooltip=["stage:N", "outcome:N", "records:Q"],
        )
        .properties(width="container", height=alt.Step(34))
    )


def _draw_counts(counts: Mapping[str, int], name: str, value: str) -> Any:
    """Draw a bar for each of the largest counts."""
    largest = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MAX_BARS]
    rows = [{name: key, value: count} for key, count in largest]
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar()
        .encode(
            y=alt.Y(f"{name}:N", sort="-x", title=None, axis=alt.Axis(labelLimit=180)),
            x=alt.X(f"{value}:Q", title=value),
            tooltip=[f"{name}:N", f"{value}:Q"],
        )
        .properties(width="container", height=alt.Step(_BAR_HEIGHT))
    )


def _draw_lengths(lengths: Sequence[int]) -> Any:
    """Draw a histogram; its bins are of whole words."""
    width = max(1, -(-max(lengths) // _MAX_BINS))
    counts = Counter(length // width for length in lengths)
    rows = [
        {"from": index * width, "to": (index + 1) * width, "exemplars": count}
        for index, count in sorted(counts.items())
    ]
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar()
        .encode(
            x=alt.X("from:Q", bin=alt.Bin(binned=True), title="words in the utterance"),
            x2="to:Q",
            y=alt.Y("exemplars:Q", title="exemplars"),
            tooltip=["from:Q", "to:Q", "exemplars:Q"],
        )
        .properties(width="container", height=220)
    )


def _draw_intervals(rows: Sequence[Mapping[str, Any]], value: str, title: str) -> Any:
    """Draw a point for each slice at `value`, on a line from `low` to `high`."""
    base = alt.Chart(alt.InlineData(values=[dict(row) for row in rows])).encode(
        y=alt.Y("slice:N", title=None, axis=alt.Axis(labelLimit=180)),
        tooltip=["slice:N", "rows:Q", alt.Tooltip(f"{value}:Q", format=".2%")],
    )
    interval = base.mark_rule().encode(x=alt.X("low:Q", title=title, axis=alt.Axis(format="%")), x2="high:Q")
    point = base.mark_point(filled=True, size=60).encode(x=f"{value}:Q")
    return (interval + point).properties(width="container", height=alt.Step(_BAR_HEIGHT))
