"""The figures of an evaluation, recomputed from its predictions by the functions of `evaluate`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from exemplars.audit.revisions import Stage
from exemplars.audit.verification.checks import Check, build_diagnostic, cap_problems
from exemplars.audit.verification.differences import find_json_differences
from exemplars.audit.verification.tables import Tables
from exemplars.core import layout
from exemplars.core.digests import hash_to_fraction
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.tables import rows_from_table
from exemplars.dataset.catalog import decode_catalog
from exemplars.models.render_manifest import RenderManifest
from exemplars.models.rows import Prediction, TrainingRow, View

if TYPE_CHECKING:
    from stages.evaluate.evaluation import Evaluation
    from stages.evaluate.params import EvaluateParams
    from stages.evaluate.question import Question

_FIX: Final = "run `dvc checkout -f` on the predictions, or `dvc repro evaluate`"
_PLACE: Final = layout.PREDICTIONS.as_posix()
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
    from stages.evaluate.report import build_evaluate_report, build_system_metrics
    from stages.evaluate.text_metrics import TEXT_METRICS, compute_system_columns

    params = msgspec.convert(stage.params["evaluate"], EvaluateParams)
    train, test = (
        rows_from_table(tables.read_whole(layout.training(split)), TrainingRow) for split in ("train", "test")
    )
    predictions = rows_from_table(tables.read_whole(layout.PREDICTIONS), Prediction)
    notes: list[str] = []
    problems: list[Diagnostic] = []
    question = _rebuild_question(tables.files, train, test, predictions, params)
    problems += _check_sample(question, predictions, params)
    if problems:
        return Check("figures", "0 figures recomputed", tuple(problems))
    answers = _collect_answers(question, predictions, params)
    problems += _check_neighbors(question, answers, predictions, params)
    texts: dict[Any, Any] = {}
    if params.text_metrics and extent == "all":
        try:
            texts = compute_system_columns(answers, question.rows)
        except UserError as error:  # The model of BERTScore is not installed.
            notes.append(f"not recomputed: {error.diagnostics[0].message}")
    elif params.text_metrics:
        notes.append("not recomputed: ROUGE, BLEU, BERTScore: see --recompute")
    if extent == "all":
        problems += _search_neighbors(question, train, params, notes)
    evaluation = evaluate_systems(question, answers, params, texts)
    recorded = json.loads((tables.files / layout.details("evaluate")).read_bytes())
    report = _as_json(build_evaluate_report(evaluation, str(recorded.get("run")), params))
    omitted = () if texts or not params.text_metrics else tuple(TEXT_METRICS)
    problems += _compare_report(_drop_texts(recorded, omitted), _drop_texts(report, omitted))
    written = {output.path for output in stage.outs}
    problems += _compare_metrics(tables.files, written, build_system_metrics(report))
    problems += _compare_outputs(tables.files, written, evaluation, report, predictions, params)
    counted = f"{_count_numbers(report):,} figures of {len(predictions):,} predictions recomputed"
    return Check("figures", counted, tuple(problems), tuple(notes))


def _rebuild_question(
    files: Path,
    train: Sequence[TrainingRow],
    test: Sequence[TrainingRow],
    predictions: Sequence[Prediction],
    params: EvaluateParams,
) -> Question:
    """Rebuild what the systems answered; the nearest train rows are those that the predictions name."""
    from stages.evaluate.question import Question, list_tool_names, make_sampling_key, sample_test_rows

    rendered = msgspec.json.decode((files / layout.TRAINING_BASE).read_bytes(), type=RenderManifest)
    skills = {skill.name: skill for skill in decode_catalog((files / layout.CATALOG).read_bytes())}
    order = {key: hash_to_fraction(key, "evaluate") for key in map(make_sampling_key, test)}
    rows = sample_test_rows((row for row in test if params.speech or not row.speech), params.max_rows, order)
    by_id = {row.id: row for row in train if row.view == View.CALL}
    nearest = {prediction.id: prediction.nearest for prediction in predictions}
    return Question(
        rows=rows,
        tools=[[skills[name] for name in list_tool_names(row)] for row in rows],
        skills=skills,
        neighbors=[[by_id[name] for name in nearest.get(row.id, ()) if name in by_id] for row in rows],
        seen_services=frozenset(service for row in train for service in row.services),
        form=rendered.style.call_format,
        template_tools=rendered.style.tools == "template",
    )


def _check_sample(
    question: Question, predictions: Sequence[Prediction], params: EvaluateParams
) -> Iterator[Diagnostic]:
    """Check that each system answered each sampled test row, once."""
    expected = {(row.id, system.value) for row in question.rows for system in params.compare}
    answered = {(prediction.id, prediction.system) for prediction in predictions}
    for row_id, system in sorted(expected ^ answered)[:5]:
        place = f"{_PLACE}: {row_id}"
        found, wanted = "no answer", "one"
        if (row_id, system) in answered:
            found, wanted = wanted, found
        yield build_diagnostic(place, "other_output", f"{found} of {system}", f"{wanted}, as sampled", _FIX)


def _collect_answers(
    question: Question, predictions: Sequence[Prediction], params: EvaluateParams
) -> dict[Any, Any]:
    from exemplars.models.decoding import Completion

    answered = {(prediction.id, prediction.system): prediction for prediction in predictions}
    return {
        system: [
            Completion(answered[row.id, system.value].predicted, answered[row.id, system.value].ended)
            for row in question.rows
        ]
        for system in params.compare
    }


def _check_neighbors(
    question: Question,
    answers: dict[Any, Any],
    predictions: Sequence[Prediction],
    params: EvaluateParams,
) -> Iterator[Diagnostic]:
    """Predict by the nearest train rows again, and compare with the predictions of the system `knn`."""
    from stages.evaluate.knn import predict_from_neighbor
    from stages.evaluate.params import System

    for row, nearest in zip(question.rows, question.neighbors, strict=True):
        named = {prediction.nearest for prediction in predictions if prediction.id == row.id}
        if not nearest or len(named) != 1 or len(nearest) != max(map(len, named)):
            found = "nearest rows that differ by system, or that train does not have"
            yield build_diagnostic(f"{_PLACE}: {row.id}: nearest", "other_output", found, "train rows", _FIX)
            return
    if System.KNN not in params.compare:
        return
    for place, (row, nearest) in enumerate(zip(question.rows, question.neighbors, strict=True)):
        expected = predict_from_neighbor(row.utterance, nearest[0], question.skills, question.form)
        if (found := answers[System.KNN][place].text) != expected:
            text = f"{expected!r}, the call of the nearest train row"
            yield build_diagnostic(f"{_PLACE}: {row.id} knn", "other_output", repr(found), text, _FIX)


def _search_neighbors(
    question: Question, train: Sequence[TrainingRow], params: EvaluateParams, notes: list[str]
) -> Iterator[Diagnostic]:
    """Search the nearest train rows again by the embedding model, if it is installed; else add a note."""
    from exemplars.dataset.embeddings import embed_texts
    from exemplars.models.library_messages import suppress_library_messages
    from stages.evaluate.knn import find_nearest_rows

    suppress_library_messages()
    calls = [row for row in train if row.view == View.CALL]
    try:
        vectors, train_vectors = (
            embed_texts([row.utterance for row in rows]) for rows in (question.rows, calls)
        )
    except UserError as error:
        notes.append(f"not recomputed: nearest rows: {error.diagnostics[0].message}")
        return
    places = find_nearest_rows(vectors, train_vectors, max(1, params.retrieved_examples))
    for row, nearest, found in zip(question.rows, places.tolist(), question.neighbors, strict=True):
        expected = [calls[place].id for place in nearest]
        if [neighbor.id for neighbor in found] != expected:
            text = f"{', '.join(expected)}, by their embeddings"
            names = ", ".join(neighbor.id for neighbor in found)
            yield build_diagnostic(f"{_PLACE}: {row.id}: nearest", "other_output", names, text, _FIX)


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
    folder = layout.system_report("any").parent
    if folder.as_posix() not in written:
        return  # A revision from before these files.
    paths = {path.stem: path for path in sorted((files / folder).glob("*.json"))}
    recorded = {name: json.loads(path.read_bytes()) for name, path in paths.items()}
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
    evaluation: Evaluation,
    report: Mapping[str, Any],
    predictions: Sequence[Prediction],
    params: EvaluateParams,
) -> list[Diagnostic]:
    """Compare the columns of the predictions, and the points of the plots. written: the outputs of the stage."""
    from stages.evaluate.plots import build_evaluate_plots
    from stages.evaluate.predictions import list_predictions

    recorded = {f"{row.id} {row.system}": _as_json(row) for row in predictions}
    recomputed = {f"{row.id} {row.system}": _as_json(row) for row in list_predictions(evaluation)}
    problems = [
        build_diagnostic(f"{_PLACE}: {key}: {column}", "other_output", found, f"{expected}, by the row", _FIX)
        for key, row in recomputed.items()
        for column, found, expected in find_json_differences(recorded[key], row)
    ]
    problems = cap_problems(problems, _PLACE)
    for name, points in build_evaluate_plots(evaluation, report, params.reference).items():
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
