"""The files that the stage writes: predictions, the report, and the data of plots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exemplars.core import layout
from exemplars.core.conditions import HEADLINE, Condition, take_condition
from exemplars.core.files import write_json
from exemplars.core.reports import format_interval
from exemplars.core.tables import rows_to_table, write_table
from exemplars.models.rows import Prediction
from stages.evaluate.evaluation import Evaluation
from stages.evaluate.loaders import Run, describe_runs
from stages.evaluate.params import EvaluateParams
from stages.evaluate.plots import build_evaluate_plots
from stages.evaluate.predictions import list_predictions
from stages.evaluate.report import Retrieval, build_evaluate_report, build_system_metrics


def write_evaluation(
    evaluations: Mapping[Condition, Evaluation],
    runs: Mapping[str, Run],
    retrieval: Retrieval,
    robustness: Mapping[str, Any],
    params: EvaluateParams,
) -> str:
    """Write all outputs of an evaluation, and return a line for people.

    runs: those that are evaluated, by name. robustness: of `rate_variants`.
    """
    write_table(layout.PREDICTIONS, rows_to_table(list_predictions(evaluations), Prediction))
    report = build_evaluate_report(evaluations, describe_runs(runs), retrieval, robustness, params)
    write_json(layout.details("evaluate"), report)
    for name, points in build_evaluate_plots(evaluations[HEADLINE], report, params.reference).items():
        write_json(layout.plot("evaluate", name), points)
    write_metrics(build_system_metrics(report))
    exact = [
        f"{condition.replace('_', ' ')} {format_interval(figures['exact_match'], digits=3)}"
        for condition in Condition
        for figures in [take_condition(report, condition)["systems"][params.reference]]
    ]
    return f"evaluate: {report['rows']} test turns, exact match of {params.reference}: {', '.join(exact)}"


def write_metrics(metrics: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """Write the metrics of each system, by condition, into files of their own; remove those of other systems."""
    paths = {
        layout.system_report(condition, name): figures
        for condition, systems in metrics.items()
        for name, figures in systems.items()
    }
    for path, figures in paths.items():
        write_json(path, figures)
    for path in layout.REPORTS.joinpath("evaluate").rglob("*.json"):
        if path not in paths:
            path.unlink()
