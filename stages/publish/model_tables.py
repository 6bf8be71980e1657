"""The page's tables about models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import pyarrow as pa

from exemplars.core.reports import format_p_value
from stages.publish.cells import (
    MAX_ROWS,
    Cell,
    Number,
    Table,
    count_cell,
    decimal_cell,
    figure_cell,
    interval_cell,
)
from stages.publish.facts import METRICS, ModelSummary, name_base


class Metric(NamedTuple):
    """A metric of models as the page shows it."""

    name: str
    good: str


PAGE_METRICS: Final = {
    "exact_match": Metric(METRICS["exact_match"], "1: skill and all arguments are right"),
    "skill_accuracy": Metric(METRICS["skill_accuracy"], "1: the right function, or rightly none"),
    "argument_f1": Metric(METRICS["argument_f1"], "1: no argument is wrong or missing"),
    "no_call_recall": Metric("recall of no call", "1: calls nothing where nothing is asked"),
    "well_formed": Metric("well formed", "1: every answer is a call or None"),
    "hallucinated_functions": Metric(
        METRICS["hallucinated_functions"], "0: calls no function that is not shown"
    ),
}
"""The metrics of models that the page shows."""
_RANKING_METRICS: Final = {
    "hit_at_1": "hit@1",
    "hit_at_3": "hit@3",
    "hit_at_5": "hit@5",
    "mrr": "MRR",
    "ndcg_at_10": "nDCG@10",
}
"""The metrics of rankings that the page shows, with their names."""


def build_run_table(models: Sequence[ModelSummary]) -> Table:
    """Build the table of the runs: what each was made from, and what its training did."""
    rows: list[tuple[Cell, ...]] = [
        (
            model.manifest.run,
            model.manifest.method,
            name_base(model.manifest.base),
            Number("unknown", None) if model.trained_rows is None else count_cell(model.trained_rows),
            Number("", None) if model.rows_in_train is None else count_cell(model.rows_in_train),
            count_cell(model.manifest.steps),
            decimal_cell(model.manifest.losses.get("train_loss")),
            decimal_cell(model.manifest.losses.get("validation_loss")),
        )
        for model in models
    ]
    return Table(
        "runs-table",
        "Runs",
        (
            *("run", "method", "base", "rows trained on", "of these in train now"),
            *("steps", "train loss", "validation loss"),
        ),
        rows,
        "No model was trained.",
        "Good: all rows trained on are in train now; others were changed, moved to another split or erased since. "
        "exemplars trace RUN shows where they come from.",
    )


def build_system_table(systems: Mapping[str, Mapping[str, Any]], target: float) -> Table:
    """Build the table of metrics by evaluated system. target: the exact match of a good model."""
    return Table(
        "systems-table",
        "Metrics by system, the whole catalog to choose from",
        ("metric", "good", *systems),
        _list_metrics(systems),
        "No system was evaluated.",
        f"Wanted: an exact match of at least {target:g} (publish.target_exact_match). In parentheses: 95 % intervals.",
    )


def build_oracle_table(systems: Mapping[str, Mapping[str, Any]]) -> Table:
    """Build the table of metrics by system if somebody else has found the right tools."""
    return Table(
        "oracle-table",
        "Metrics by system, the tools of the prompt to choose from",
        ("metric", "good", *systems),
        _list_metrics(systems),
        "No system was evaluated.",
        "An upper bound: the right tool is among the few that the prompt shows, unless it was withheld on purpose.",
    )


def _list_metrics(systems: Mapping[str, Mapping[str, Any]]) -> list[tuple[Cell, ...]]:
    if not systems:
        return []
    return [
        (metric.name, metric.good, *(figure_cell(figures[key]) for figures in systems.values()))
        for key, metric in PAGE_METRICS.items()
    ]


def build_retrieval_table(retrieval: Mapping[str, Any]) -> Table:
    """Build the table of how well skills are ranked, by what ranks them. retrieval: as `evaluate` reports it."""
    rankings = {
        name: figures for name, figures in retrieval["figures"].get("all", {}).items() if name != "rows"
    }
    rows: list[tuple[Cell, ...]] = [
        (name.replace("_", " "), *(figure_cell(figures[metric]) for metric in _RANKING_METRICS))
        for name, figures in rankings.items()
    ]
    return Table(
        "retrieval-table",
        "How well skills are ranked",
        ("ranked by", *_RANKING_METRICS.values()),
        rows,
        "No ranking was measured.",
        f"Good: near 1. Prompts show the {retrieval['tools']} best skills by {retrieval['by'].replace('_', ' ')}.",
    )


def build_comparison_table(reference: str, comparisons: Mapping[str, Mapping[str, Any]]) -> Table:
    """Build the table that compares the reference with each other system."""
    rows = [
        (
            name,
            figure_cell(comparison["differences"]["exact_match"]),
            Number(format_p_value(comparison["mcnemar_p"]), comparison["mcnemar_p"]),
            comparison["warning"] or "",
        )
        for name, comparison in comparisons.items()
    ]
    return Table(
        "comparison-table",
        f"{reference} compared with each other system",
        ("other system", "difference in exact match", "p-value (McNemar)", "warning"),
        rows,
        "There is no other system.",
        "Good: a difference above 0, with a p-value below 0.05; otherwise it may be luck.",
    )


def build_model_slice_table(reference: str, slices: Mapping[str, Mapping[str, Any]]) -> Table:
    """Build the table of the exact match of the reference by slice, the worst of each dimension first."""
    rows = [
        (
            f"{dimension}: {name}",
            count_cell(figures["rows"]),
            interval_cell(figures),
        )
        for dimension, values in slices.items()
        for name, figures in sorted(values.items(), key=lambda item: item[1]["value"])
    ]
    return Table(
        "model-slice-table",
        f"Exact match of {reference} by slice",
        ("slice", "test rows", "exact match"),
        rows,
        "No slice is large enough.",
        "Good: slices alike, and near 1. Where the intervals of two slices overlap, they may not differ.",
    )


def build_error_table(reference: str, predictions: pa.Table) -> Table:
    """Build the table of the wrong predictions of the reference."""
    wrong = [
        (
            row["utterance"],
            row["kind"].replace("_", " "),
            row["right"],
            row["predicted"],
            row["id"],
            next(iter(row["nearest"]), ""),
        )
        for row in predictions.to_pylist()
        if row["system"] == reference and row["kind"] != "right"
    ]
    return Table(
        "wrong-table",
        f"Wrong answers of {reference}",
        ("utterance", "error", "right answer", "prediction", "row", "nearest train row"),
        wrong[:MAX_ROWS],
        "No answer is wrong.",
        "exemplars trace ROW shows where a row comes from, and which runs were trained on it.",
        len(wrong),
    )
