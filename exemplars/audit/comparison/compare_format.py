"""Formatting that the text and the Markdown of `exemplars compare` share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from exemplars.core.reports import format_p_value

METRIC_NAMES: Final = {
    "exact_match": "exact match",
    "skill_accuracy": "skill accuracy",
    "argument_precision": "argument precision",
    "argument_recall": "argument recall",
    "argument_f1": "argument F1",
    "no_call_precision": "no-call precision",
    "no_call_recall": "no-call recall",
    "well_formed": "well formed",
    "hallucinated_functions": "hallucin. functions",
    "hallucinated_arguments": "hallucin. arguments",
}
"""The metrics in the order of the tables, in at most 19 letters."""
ROW_TITLES: Final = {"newly_wrong": "newly wrong", "newly_right": "newly right"}


def format_side(side: Mapping[str, Any]) -> str:
    """Format the name of a revision: `v1 (1a2b3c4d5e6f)`."""
    commit = (side["commit"] or "")[:12]
    return (
        side["revision"]
        if not commit or side["revision"].startswith(commit)
        else f"{side['revision']} ({commit})"
    )


def format_figure(figure: Mapping[str, Any] | None) -> str:
    """Format a figure with its interval, in at most 17 letters; `none` if it is undefined.

    >>> format_figure({"value": 0.44, "low": 0.3612, "high": 0.5229})
    '0.44 [0.36, 0.52]'
    """
    if figure is None or figure["value"] is None:
        return "none"
    return f"{figure['value']:.2f} [{figure['low']:.2f}, {figure['high']:.2f}]"


def format_difference(figure: Mapping[str, Any], moved: bool) -> str:
    """Format a difference with its interval, followed by `*` if it moved.

    >>> format_difference({"value": 0.1, "low": 0.02, "high": 0.18}, True)
    '+0.10 [+0.02, +0.18] *'
    """
    if figure["value"] is None:
        return "none"
    return f"{figure['value']:+.2f} [{figure['low']:+.2f}, {figure['high']:+.2f}]{' *' if moved else ''}"


def format_test(document: Mapping[str, Any]) -> str:
    """Format the paired test of exact match as a sentence."""
    test = document["mcnemar"]
    p_value = format_p_value(test["p_value"])
    equals = "" if p_value.startswith("<") else "= "
    warning = f"; {test['warning']}" if test["warning"] else ""
    return (
        f"exact match: {test['newly_right']:,} rows newly right, {test['newly_wrong']:,} newly wrong; "
        f"McNemar's exact test p {equals}{p_value}{warning}"
    )


def format_slices_title(document: Mapping[str, Any]) -> str:
    """Format what the table of slices holds."""
    moved, total = len(list_moved_slices(document)), len(document["slices"])
    if not moved:
        return f"slices: none of {total:,} moved by more than luck explains"
    return f"slices that moved ({moved:,} of {total:,}; p adjusted for their number)"


def list_moved_slices(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """List the slices that moved by more than luck explains."""
    return [part for part in document["slices"] if part["moved"]]


def list_figures(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the figures that are defined at one of the revisions, with their names."""
    by_name = {figure["metric"]: figure for figure in document["figures"]}
    for metric, name in METRIC_NAMES.items():
        figure = by_name.get(metric)
        if figure and not (figure["old"]["value"] is None and figure["new"]["value"] is None):
            yield name, figure


def format_error(kind: str, row: Mapping[str, Any]) -> str:
    """Format the error of the answer that is wrong: the new one, or for a newly right row the old one.

    >>> format_error("newly_right", {"error": "wrong_value"})
    'was wrong value'
    """
    return f"{'was ' if kind == 'newly_right' else ''}{row['error'].replace('_', ' ')}"


def list_row_lines(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what was said, expected and answered for a row, each with its name."""
    yield "utterance", row["utterance"]
    yield "expected", row["expected"]
    yield "before", row["before"]
    yield "after", row["got"]
