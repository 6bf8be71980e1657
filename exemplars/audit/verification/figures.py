"""The figures of an evaluation, recomputed from its predictions by the functions of `evaluate`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from exemplars.audit.revisions import Stage
from exemplars.audit.verification.checks import Check, build_diagnostic, cap_problems
from exemplars.audit.verification.differences import find_json_differences
from exemplars.audit.verification.tables import Tables
from exemplars.core import layout
from exemplars.core.conditions import HEADLINE, Condition
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.tables import rows_from_table
from exemplars.dataset.catalog import decode_catalog
from exemplars.models.render_manifest import RenderManifest
from exemplars.models.rows import Prediction

if TYPE_CHECKING:
    from stages.evaluate.evaluation import Evaluation
    from stages.evaluate.inputs import Inputs
    from stages.evaluate.params import EvaluateParams
    from stages.evaluate.replies import Replies
    from stages.evaluate.task import Task

_FIX: Final = "run `dvc checkout -f` on the predictions, or `dvc repro evaluate`"
_PLACE: Final = layout.PREDICTIONS.as_posix()
_Key = tuple[str, str, str]
"""The condition, the id of the row and the system of a prediction."""
_BERT_TOLERANCE: Final = 0.002
"""BERTScore's sums depend on the kind of processor."""


def check_figures(tables: Tables, stages: Sequence[Stage], changed: Collection[str], extent: str) -> Check:
    """Score the predictions again, and compare all figures, plots and columns that follow from them.

    changed: the files that differ from `dvc.lock`. extent: a member of `Recompute`; `all` also recomputes the
    metrics of texts and searches the nearest train rows again, which need their models.
    """
    name, counted = "figures", "0 figures recomputed"
    stage = next((stage for stage in stages if stage.name == "evaluate"), None)
    if stage is None:
        return Check(name, counted)
    if extent == "none":
        return Check(name, counted, notes=("not recomputed: see --recompute",))
    if any(entry.path in changed for entry in (*stage.deps, *stage.outs)):
        return Check(name, counted, notes=("not recomputed: files of evaluate changed, or are not here",))
    try:
        return _check_figures(tables, stage, extent)
    except ImportError as error:
        return Check(name, counted, notes=(f"not recomputed: package {error.name} not installed",))
    except UserError as error:
        return Check(name, counted, error.diagnostics)
    except (msgspec.MsgspecError, OSError, KeyError, ValueError, IndexError) as error:
        found = f"files of evaluate that do not fit each other ({type(error).__name__}: {error})"
        return Check(
            name, counted, (build_diagnostic(_PLACE, "other_output", found, "those it wrote", _FIX),)
        )


def _check_figures(tables: Tables, stage: Stage, extent: str) -> Check:
    from stages.evaluate.evaluation import evaluate_systems
    from stages.evaluate.params import EvaluateParams
    from stages.evaluate.report import Retrieval, build_evaluate_report, build_system_metrics
    from stages.evaluate.system_names import Role, choose_systems
    from stages.evaluate.text_metrics import TEXT_METRICS

    params = msgspec.convert(stage.params["evaluate"], EvaluateParams)
    recorded = json.loads((tables.files / layout.details("evaluate")).read_bytes())
    predictions = rows_from_table(tables.read_whole(layout.PREDICTIONS), Prediction)
    inputs = _read_inputs(tables, params)
    roles = {name: Role(run["role"]) for name, run in recorded["runs"].items()}
    systems = choose_systems(params.compare, params.reference, roles)
    answered = {(row.condition, row.id, row.system): row for row in predictions}
    tasks = _rebuild_tasks(inputs, predictions, params)
    problems = list(_check_sample(tasks, systems, answered))
    if problems:
        return Check("figures", "0 figures recomputed", tuple(problems))
    replies = _collect_replies(tasks, systems, answered)
    problems += _check_neighbors(tasks, replies, predictions)
    notes: list[str] = []
    texts = _compute_texts(replies, tasks, params, extent, notes)
    if extent == "all":
        problems += _search_neighbors(inputs, tasks, params, notes)
    evaluations = {
        condition: evaluate_systems(task, replies[condition], params, texts.get(condition, {}))
        for condition, task in tasks.items()
    }
    retrieval = Retrieval(**recorded["retrieval"])
    report = _as_json(
        build_evaluate_report(evaluations, recorded["runs"], retrieval, recorded["robustness"], params)
    )
    omitted = () if texts or not params.text_metrics else tuple(TEXT_METRICS)
    problems += _compare_report(_drop_texts(recorded, omitted), _drop_texts(report, omitted))
    written = {output.path for output in stage.outs}
    problems += _compare_metrics(tables.files, written, build_system_metrics(report))
    problems += _compare_outputs(tables.files, written, evaluations, report, predictions, params)
    figures = _count_numbers(report["conditions"])
    counted = f"{figures:,} figures of {len(predictions):,} predictions recomputed"
    return Check("figures", counted, tuple(problems), tuple(notes))


def _read_inputs(tables: Tables, params: EvaluateParams) -> Inputs:
    from stages.evaluate.inputs import SCHEMAS, assemble_inputs

    return assemble_inputs(
        {path: tables.read_whole(path) for path in SCHEMAS},
        decode_catalog((tables.files / layout.CATALOG).read_bytes()),
        msgspec.json.decode((tables.files / layout.TRAINING_BASE).read_bytes(), type=RenderManifest),
        params,
    )


def _rebuild_tasks(
    inputs: Inputs, predictions: Sequence[Prediction], params: EvaluateParams
) -> dict[Condition, Task]:
    """Rebuild what the systems answered; shown tools and nearest train rows are those that the predictions name."""
    from stages.evaluate.inputs import build_tasks

    named = {(row.condition, row.id): row for row in predictions}
    shown = [
        named[Condition.END_TO_END, turn.id].shown if (Condition.END_TO_END, turn.id) in named else ()
        for turn in inputs.turns
    ]
    by_id = {row.id: row for row in inputs.train}
    return {
        condition: task._replace(
            neighbors=[
                [by_id[name] for name in _find_nearest(named, condition, row.id) if name in by_id]
                for row in task.rows
            ]
        )
        for condition, task in build_tasks(inputs, [()] * len(inputs.turns), shown, params).items()
    }


def _find_nearest(
    named: Mapping[tuple[str, str], Prediction], condition: str, row_id: str
) -> tuple[str, ...]:
    prediction = named.get((condition, row_id))
    return () if prediction is None else prediction.nearest


def _check_sample(
    tasks: Mapping[Condition, Task], systems: Collection[str], answered: Mapping[_Key, Prediction]
) -> Iterator[Diagnostic]:
    """Check that each system answered each sampled test turn under each condition, once."""
    expected = {
        (str(condition), row.id, system)
        for condition, task in tasks.items()
        for row in task.rows
        for system in systems
    }
    for key in sorted(expected ^ answered.keys())[:5]:
        condition, row_id, system = key
        found, wanted = ("one", "no answer") if key in answered else ("no answer", "one")
        text = f"{found} of {system} under {condition}"
        yield build_diagnostic(f"{_PLACE}: {row_id}", "other_output", text, f"{wanted}, as sampled", _FIX)


def _collect_replies(
    tasks: Mapping[Condition, Task], systems: Iterable[str], answered: Mapping[_Key, Prediction]
) -> Replies:
    from stages.evaluate.replies import Reply

    return {
        condition: {
            system: [
                Reply(found.predicted, found.ended, found.confidence, found.answered_by)
                for row in task.rows
                for found in [answered[str(condition), row.id, system]]
            ]
            for system in systems
        }
        for condition, task in tasks.items()
    }


def _check_neighbors(
    tasks: Mapping[Condition, Task], replies: Replies, predictions: Sequence[Prediction]
) -> Iterator[Diagnostic]:
    """Predict by the nearest train rows again, and compare with the predictions of the system `knn`."""
    from stages.evaluate.replies import answer_by_neighbors
    from stages.evaluate.system_names import KNN

    named: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for prediction in predictions:
        named.setdefault((prediction.condition, prediction.id), set()).add(prediction.nearest)
    for condition, task in tasks.items():
        for row, nearest in zip(task.rows, task.neighbors, strict=True):
            if {tuple(neighbor.id for neighbor in nearest)} != named[condition, row.id]:
                found = "nearest rows that differ by system, or that train does not have"
                yield build_diagnostic(
                    f"{_PLACE}: {row.id}: nearest", "other_output", found, "train rows", _FIX
                )
                return
        recorded = replies[condition].get(KNN, ())
        for row, reply, expected in zip(task.rows, recorded, answer_by_neighbors(task), strict=False):
            if reply.text != expected.text:
                text = f"{expected.text!r}, the call of the nearest train row"
                place = f"{_PLACE}: {row.id} {condition} {KNN}"
                yield build_diagnostic(place, "other_output", repr(reply.text), text, _FIX)


def _compute_texts(
    replies: Replies, tasks: Mapping[Condition, Task], params: EvaluateParams, extent: str, notes: list[str]
) -> dict[str, dict[str, Any]]:
    """Compute the metrics of texts if all is recomputed, and their model is installed; else add a note."""
    from stages.evaluate.text_metrics import compute_reply_columns

    if not params.text_metrics:
        return {}
    if extent != "all":
        notes.append("not recomputed: ROUGE, BLEU, BERTScore: see --recompute")
        return {}
    try:
        return compute_reply_columns(
            replies, {str(condition): task.rows for condition, task in tasks.items()}
        )
    except UserError as error:  # The model of BERTScore is not installed.
        notes.append(f"not recomputed: {error.diagnostics[0].message}")
        return {}


def _search_neighbors(
    inputs: Inputs, tasks: Mapping[Condition, Task], params: EvaluateParams, notes: list[str]
) -> Iterator[Diagnostic]:
    """Search the nearest train rows again by the embedding model, if it is installed; else add a note."""
    from exemplars.models.library_messages import suppress_library_messages
    from stages.evaluate.inputs import build_tasks, order_neighbors

    suppress_library_messages()
    try:
        order = order_neighbors(inputs)
    except UserError as error:
        notes.append(f"not recomputed: nearest rows: {error.diagnostics[0].message}")
        return
    searched = build_tasks(inputs, order, [()] * len(inputs.turns), params)
    for condition, task in tasks.items():
        pairs = zip(task.rows, task.neighbors, searched[condition].neighbors, strict=True)
        for row, found, expected in pairs:
            ids, others = ([neighbor.id for neighbor in rows] for rows in (found, expected))
            if ids != others:
                text = f"{', '.join(others)}, by their embeddings"
                yield build_diagnostic(
                    f"{_PLACE}: {row.id}: nearest", "other_output", ", ".join(ids), text, _FIX
                )


def _compare_report(recorded: Any, recomputed: Any) -> list[Diagnostic]:
    path = layout.details("evaluate").as_posix()
    fix = f"`git diff {path}` shows a change: revert it, or run `dvc repro evaluate`"
    problems = [
        build_diagnostic(f"{path}: {key}", "other_output", found, f"{expected}, by the predictions", fix)
        for key, found, expected in find_json_differences(recorded, recomputed)
        if not ("bert" in key and _is_close(found, expected))
    ]
    return cap_problems(problems, path)


def _compare_metrics(
    files: Path, written: Collection[str], metrics: Mapping[str, Any]
) -> Iterator[Diagnostic]:
    """Compare the files of metrics with those that follow from the report."""
    folder = layout.system_report("any", "any").parent.parent
    if folder.as_posix() not in written:
        return  # A revision from before these files.
    recorded: dict[str, dict[str, Any]] = {}
    for path in sorted((files / folder).glob("*/*.json")):
        recorded.setdefault(path.parent.name, {})[path.stem] = json.loads(path.read_bytes())
    for key, found, expected in find_json_differences(recorded, _as_json(metrics)):
        place = f"{folder.as_posix()}: {key}"
        fix = f"`git diff {folder.as_posix()}` shows a change: revert it, or run `dvc repro evaluate`"
        yield build_diagnostic(place, "other_output", found, f"{expected}, by the predictions", fix)


def _is_close(found: str, expected: str) -> bool:
    try:
        return abs(float(found) - float(expected)) <= _BERT_TOLERANCE
    except ValueError:
        return False


def _drop_texts(report: Any, metrics: Collection[str]) -> Any:
    """Drop the metrics of texts from a report, where they were not recomputed."""
    if isinstance(report, list):
        return [_drop_texts(item, metrics) for item in report]
    if isinstance(report, dict):
        return {key: _drop_texts(value, metrics) for key, value in report.items() if key not in metrics}
    return report


def _compare_outputs(
    files: Path,
    written: Collection[str],
    evaluations: Mapping[Condition, Evaluation],
    report: Mapping[str, Any],
    predictions: Sequence[Prediction],
    params: EvaluateParams,
) -> list[Diagnostic]:
    """Compare the columns of the predictions, and the points of the plots. written: the outputs of the stage."""
    from stages.evaluate.plots import build_evaluate_plots
    from stages.evaluate.predictions import list_predictions

    recorded, recomputed = (
        {f"{row.id} {row.condition} {row.system}": _as_json(row) for row in rows}
        for rows in (predictions, list_predictions(evaluations))
    )
    problems = [
        build_diagnostic(f"{_PLACE}: {key}: {column}", "other_output", found, f"{expected}, by the row", _FIX)
        for key, row in recomputed.items()
        for column, found, expected in find_json_differences(recorded[key], row)
    ]
    problems = cap_problems(problems, _PLACE)
    for name, points in build_evaluate_plots(evaluations[HEADLINE], report, params.reference).items():
        path = layout.plot("evaluate", name)
        if path.as_posix() not in written:
            continue  # A revision from before this plot.
        found_points = json.loads((files / path).read_bytes())
        differences = find_json_differences(found_points, _as_json(points))
        problems += cap_problems(
            (
                build_diagnostic(f"{path.as_posix()}: {key}", "other_output", found, expected, _FIX)
                for key, found, expected in differences
            ),
            path.as_posix(),
        )
    return problems


def _as_json(document: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(document))


def _count_numbers(report: Any) -> int:
    if isinstance(report, (dict, list)):
        values = report.values() if isinstance(report, dict) else report
        return sum(map(_count_numbers, values))
    return int(isinstance(report, (int, float)) and not isinstance(report, bool))
