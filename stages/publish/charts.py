"""The page's pictures, as Vega-Lite specifications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt

from stages.publish.flow import Outcome

_STEP: Final = 20
_LENGTH_BINS: Final = 24
_TOP: Final = 40


def charts_of(
    outcomes: Sequence[Outcome],
    grounding: Mapping[str, int],
    skills: Mapping[str, int],
    lengths: Sequence[int],
    slices: Sequence[Mapping[str, Any]],
    model_slices: Sequence[Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    """All charts by the id of their place in the page. A chart without data is left out.

    lengths: of the utterances, in words. slices: those of demographic dimensions.
    model_slices: exact match of the reference by slice.
    """
    charts = {
        "chart-flow": _flow(outcomes),
        "chart-grounding": _bars(grounding, "grounding", "arguments") if grounding else None,
        "chart-skills": _bars(skills, "skill", "exemplars") if skills else None,
        "chart-lengths": _lengths(lengths) if lengths else None,
        "chart-slices": _slices(slices) if slices else None,
        "chart-models": _exact_match(model_slices) if model_slices else None,
    }
    return {name: chart.to_dict() for name, chart in charts.items() if chart is not None}


def _flow(outcomes: Sequence[Outcome]) -> Any:
    """One bar a stage: what goes on to the next, and what is lost by reason."""
    order = [one.stage for one in outcomes if one.outcome == "kept"]
    reasons = sorted({one.outcome for one in outcomes if one.outcome != "kept"})
    rows = [
        {**one._asdict(), "order": 0 if one.outcome == "kept" else 1 + reasons.index(one.outcome)}
        for one in outcomes
        if one.records
    ]
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar()
        .encode(
            y=alt.Y("stage:N", sort=order, title=None),
            x=alt.X("records:Q", title="records"),
            color=alt.Color(
                "outcome:N",
                sort=["kept", *reasons],
                scale=alt.Scale(domain=["kept", *reasons], scheme="tableau20"),
                legend=alt.Legend(orient="bottom", columns=3, title=None),
            ),
            order=alt.Order("order:Q"),
            tooltip=["stage:N", "outcome:N", "records:Q"],
        )
        .properties(width="container", height=alt.Step(34))
    )


def _bars(counts: Mapping[str, int], name: str, value: str) -> Any:
    largest = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_TOP]
    rows = [{name: key, value: count} for key, count in largest]
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar()
        .encode(
            y=alt.Y(f"{name}:N", sort="-x", title=None, axis=alt.Axis(labelLimit=180)),
            x=alt.X(f"{value}:Q", title=value),
            tooltip=[f"{name}:N", f"{value}:Q"],
        )
        .properties(width="container", height=alt.Step(_STEP))
    )


def _lengths(lengths: Sequence[int]) -> Any:
    width = max(1, -(-max(lengths) // _LENGTH_BINS))
    counts: dict[int, int] = {}
    for length in lengths:
        counts[length // width] = counts.get(length // width, 0) + 1
    rows = [
        {"from": place * width, "to": (place + 1) * width, "exemplars": count}
        for place, count in sorted(counts.items())
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


def _slices(slices: Sequence[Mapping[str, Any]]) -> Any:
    """The share of each demographic slice, with its interval of 95 %."""
    rows = [
        {
            "slice": f"{one['dimension']}: {one['slice']}",
            **{key: one[key] for key in ("share", "low", "high", "rows")},
        }
        for one in slices
    ]
    return _intervals(rows, "share", "share of exemplars")


def _exact_match(slices: Sequence[Mapping[str, Any]]) -> Any:
    """Exact match of the reference in each slice, with its interval of 95 %."""
    return _intervals([dict(one) for one in slices], "value", "exact match")


def _intervals(rows: list[dict[str, Any]], value: str, title: str) -> Any:
    """A point a slice at `value`, on a line from `low` to `high`."""
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("slice:N", title=None, axis=alt.Axis(labelLimit=180)),
        tooltip=["slice:N", "rows:Q", alt.Tooltip(f"{value}:Q", format=".2%")],
    )
    interval = base.mark_rule().encode(x=alt.X("low:Q", title=title, axis=alt.Axis(format="%")), x2="high:Q")
    point = base.mark_point(filled=True, size=60).encode(x=f"{value}:Q")
    return (interval + point).properties(width="container", height=alt.Step(_STEP))
