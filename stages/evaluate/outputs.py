"""The files that the stage writes: predictions, the report, and the data of plots."""

from __future__ import annotations

from collections.abc import Mapping

from exemplars.core import layout
from exemplars.core.files import write_json
from exemplars.core.reports import format_interval
from exemplars.core.tables import rows_to_table, write_table
from exemplars.models.rows import Prediction
from stages.evaluate.evaluation import Evaluation
from stages.evaluate.params import EvaluateParams
from stages.evaluate.plots import build_evaluate_plots
from stages.evaluate.predictions import list_predictions
from stages.evaluate.report import build_evaluate_report, build_system_metrics


def write_evaluation(evaluation: Evaluation, run: str, params: EvaluateParams) -> str:
    """Write all outputs of an evaluation, and return a line for people.

    run: the id of the run that is evaluated.
    """
    write_table(layout.PREDICTIONS, rows_to_table(list_predictions(evaluation), Prediction))
    report = build_evaluate_report(evaluation, run, params)
    write_json(layout.details("evaluate"), report)
    for name, points in build_evaluate_plots(evaluation, report, params.reference).items():
        write_json(layout.plot("evaluate", name), points)
    write_metrics(build_system_metrics(report))
    score = format_interval(report["systems"][params.reference]["exact_match"], digits=3)
    return f"evaluate: {report['rows']} test rows, exact match of {params.reference} {score}"


def write_metrics(metrics: Mapping[str, Mapping[str, float]]) -> None:
    """Write the metrics of each system into a file of its own; remove those of systems that are not compared now."""
    written = {layout.system_report(system) for system in metrics}
    for system, figures in metrics.items():
        write_json(layout.system_report(system), figures)
    for path in layout.REPORTS.joinpath("evaluate").glob("*.json"):
        if path not in written:
            path.unlink()
