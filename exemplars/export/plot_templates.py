"""Templates of `dvc plots`, in Vega-Lite: bars, bins, intervals and a matrix that stay readable with many labels.

DVC replaces the anchors, such as `<DVC_METRIC_DATA>`. Points have a field `rev`, by which `dvc plots diff` compares.
"""

from __future__ import annotations

from typing import Any, Final

_SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v5.json"
_LABELS: Final = {"labelLimit": 240}
_REVISION: Final = {"field": "rev", "sort": []}
_COLOR: Final = "<DVC_METRIC_COLOR>"
_SHADE: Final = {
    "field": "points",
    "type": "quantitative",
    "scale": {"scheme": "blues", "domainMin": 0},
    "legend": None,
}
_X: Final = "<DVC_METRIC_X>"
_Y: Final = "<DVC_METRIC_Y>"


def build_plot_templates() -> dict[str, dict[str, Any]]:
    """Build the templates, by name."""
    return {
        "bars": _draw_bars(),
        "bins": _draw_bins(),
        "intervals": _draw_intervals(),
        "matrix": _draw_matrix(),
    }


def _start_template(**parts: Any) -> dict[str, Any]:
    return {
        "$schema": _SCHEMA,
        "data": {"values": "<DVC_METRIC_DATA>"},
        "title": {"text": "<DVC_METRIC_TITLE>", "anchor": "start"},
        "config": {"legend": {"orient": "top", "title": None}, "axis": {"labelFontSize": 11}},
        **parts,
    }


def _draw_bars() -> dict[str, Any]:
    """Draw a horizontal bar for each name and revision, the longest first."""
    total = {"aggregate": "sum", "field": _X, "type": "quantitative"}
    return _start_template(
        width=380,
        height={"step": 14, "for": "offset"},
        mark={"type": "bar", "tooltip": True},
        encoding={
            "x": {**total, "title": "<DVC_METRIC_X_LABEL>"},
            "y": {"field": _Y, "type": "nominal", "sort": "-x", "title": None, "axis": _LABELS},
            "yOffset": _REVISION,
            "color": _COLOR,
        },
    )


def _draw_bins() -> dict[str, Any]:
    """Draw a vertical bar for each bin and revision; the x of a point is where its bin begins."""
    total = {"aggregate": "sum", "field": _Y, "type": "quantitative"}
    return _start_template(
        width={"step": 16, "for": "offset"},
        height=260,
        mark={"type": "bar", "tooltip": True},
        encoding={
            "x": {"field": _X, "type": "ordinal", "title": "<DVC_METRIC_X_LABEL>"},
            "xOffset": _REVISION,
            "y": {**total, "title": "<DVC_METRIC_Y_LABEL>"},
            "color": _COLOR,
        },
    )


def _draw_intervals() -> dict[str, Any]:
    """Draw a point for each name and revision, on a line from `low` to `high`."""
    share = {"type": "quantitative", "axis": {"format": "%"}, "scale": {"domain": [0, 1]}}
    fields = ((_Y, "nominal"), ("rev", "nominal"), (_X, "quantitative"), ("low", "quantitative"))
    tooltip = [{"field": field, "type": kind} for field, kind in (*fields, ("high", "quantitative"))]
    return _start_template(
        width=380,
        height={"step": 16, "for": "offset"},
        encoding={
            "y": {"field": _Y, "type": "nominal", "sort": None, "title": None, "axis": _LABELS},
            "yOffset": _REVISION,
            "color": _COLOR,
            "tooltip": tooltip,
        },
        layer=[
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {
                    "x": {**share, "field": "low", "title": "<DVC_METRIC_X_LABEL>"},
                    "x2": {"field": "high"},
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
                "encoding": {"x": {**share, "field": _X}},
            },
        ],
    )


def _draw_matrix() -> dict[str, Any]:
    """Draw how many points have each pair of names, a matrix for each revision."""
    axes = {"type": "nominal", "axis": _LABELS}
    is_dark = {"test": "datum.points > 0.6 * datum.largest", "value": "white"}
    return _start_template(
        transform=[
            {"aggregate": [{"op": "count", "as": "points"}], "groupby": [_X, _Y, "rev"]},
            {"joinaggregate": [{"op": "max", "field": "points", "as": "largest"}]},
        ],
        facet={"column": {**_REVISION, "type": "nominal", "title": None}},
        spec={
            "width": {"step": 17},
            "height": {"step": 17},
            "encoding": {
                "x": {"field": _X, "title": "<DVC_METRIC_X_LABEL>", **axes},
                "y": {"field": _Y, "title": "<DVC_METRIC_Y_LABEL>", **axes},
            },
            "layer": [
                {"mark": {"type": "rect", "tooltip": True}, "encoding": {"color": _SHADE}},
                {
                    "mark": {"type": "text", "fontSize": 10},
                    "encoding": {
                        "text": {"field": "points", "type": "quantitative"},
                        "color": {"condition": is_dark, "value": "black"},
                    },
                },
            ],
        },
    )
