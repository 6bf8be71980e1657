"""A run of the recipe `tagger`: from rows with spans to weights, calibration and manifest."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from exemplars.core import layout
from exemplars.core.digests import hash_content, hash_split
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.records import Exemplar
from exemplars.core.turns import group_by_turn
from exemplars.dataset.catalog import Skill, encode_catalog
from exemplars.models.base_models import (
    BaseFiles,
    find_base,
    hash_model,
    load_tokenizer,
    read_context_length,
    save_errors_as_user_errors,
)
from exemplars.models.fold_predictions import FoldPrediction, write_fold_predictions
from exemplars.models.questions import Question
from exemplars.models.run_manifest import Manifest
from exemplars.models.tagger.calibration import Calibration, choose_threshold, fit_temperature, list_risks
from exemplars.models.tagger.calls import TaggedTurn
from exemplars.models.tagger.right_answers import is_right
from stages.train.checks import check_packages
from stages.train.folds import describe_folds, divide_rows
from stages.train.loss_log import open_loss_log
from stages.train.manifest import build_run_id, describe_run, encode_digests, hash_params
from stages.train.params import RunParams
from stages.train.recipe_params import Tagger
from stages.train.recipes import count_parameters
from stages.train.run import SPACE_ADVICE, TrainedRun, set_seeds
from stages.train.tagger.fitting import TaggerData, fit_network, prepare_data
from stages.train.tagger.folds import predict_train_rows
from stages.train.tagger.rows import TaggerInput

if TYPE_CHECKING:
    from exemplars.models.tagger.predictor import Tagger as Predictor
    from stages.train.tagger.training import TaggerResult

_COVERAGES: Final = (0.25, 0.5, 0.75, 0.9, 1.0)


def train_tagger(params: RunParams, data: TaggerInput, models: Path) -> TrainedRun:
    """Train a tagger, or resume a killed training of the same run; then calibrate it on the validation rows.

    models: the folder of all models. Raises `UserError` if the encoder or the data is unusable, or the disk is full.
    """
    recipe, shared = params.chosen, params.shared
    assert isinstance(recipe, Tagger)
    check_packages(recipe, shared)
    base = find_base(recipe.encoder)
    _check_window(base, recipe)
    folds = divide_rows(data.train, recipe.folds, params.recipe)
    ready = prepare_data(data, recipe, load_tokenizer(base))
    digests, validation = ([row.digest for row in rows] for rows in (ready.train, data.validation))
    params_hash = hash_tagger_params(params, base.sha256, digests, validation, data.skills)
    run = build_run_id(params.recipe, digests, params_hash)
    checkpoints = models / ".checkpoints" / run
    set_seeds(shared.seed)
    with open_loss_log(layout.train_plots(params.recipe)) as log:
        network, result, losses = fit_network(ready, base, params, checkpoints, log)
    tagger, figures = _calibrate(network, ready, recipe, data.skills)
    predictions = predict_train_rows(folds, params, data, base, checkpoints)
    folder = _save(tagger, predictions, models)
    lines = encode_digests(set(digests))
    manifest = Manifest(
        run=run,
        recipe=params.recipe,
        params=msgspec.to_builtins({"recipe": recipe, "shared": shared}),
        rows_sha256=hash_content(lines),
        weights_sha256=hash_model(folder),
        seed=shared.seed,
        base=recipe.encoder,
        base_sha256=base.sha256,
        base_license=base.license,
        data_hashes=_hash_splits(ready),
        losses=losses,
        **_describe_training(result),
        **describe_run(),
    )
    report = {**_describe_rows(data, ready), **figures, **describe_folds(predictions, data.train)}
    return TrainedRun(manifest, folder, lines, count_parameters(network), checkpoints, report)


def _describe_training(result: TaggerResult) -> dict[str, Any]:
    """Describe what a training did: fields of a `Manifest`."""
    return {
        "steps": result.steps,
        "tokens": result.tokens,
        "resumed_from": result.resumed_from,
        "seconds": round(result.seconds, 1),
        "precision": dict(result.precision),
    }


def hash_tagger_params(
    params: RunParams,
    base_sha256: str,
    digests: Iterable[str],
    validation: Iterable[str],
    skills: Sequence[Skill],
) -> str:
    """Hash all that determines a run: recipe, encoder, rows and catalog.

    digests: of the train rows that are learned. validation: of the validation rows.
    """
    catalog = hash_content(encode_catalog(skills))
    return hash_params(params, base_sha256, sorted(set(digests)), [sorted(set(validation)), catalog])


def _check_window(base: BaseFiles, recipe: Tagger) -> None:
    longest = read_context_length(base)
    if longest is not None and recipe.max_tokens > longest:
        found = f"max_tokens: {recipe.max_tokens}, for an encoder with a window of {longest} tokens"
        raise UserError(
            [
                Diagnostic(
                    path="params.yaml",
                    code="invalid_value",
                    found=found,
                    expected=f"at most {longest}",
                    fix="correct the recipe",
                )
            ]
        )


def _calibrate(
    network: Any, data: TaggerData, recipe: Tagger, skills: Sequence[Skill]
) -> tuple[Predictor, dict[str, Any]]:
    """Fit temperature and threshold on the validation rows; return the tagger, and figures for the report."""
    from exemplars.models.tagger.predictor import Settings
    from exemplars.models.tagger.predictor import Tagger as Predictor

    vocabulary = data.encoder.vocabulary
    settings = Settings(vocabulary, recipe.max_tokens, recipe.context_turns)
    tagger = Predictor(network, data.encoder.tokenizer, settings, skills)
    turns = list(group_by_turn(data.validation).values())
    answers = tagger.answer([Question(turn[0].utterance, turn[0].context, turn[0].speaker) for turn in turns])
    right = [is_right(answer, turn, tagger.skills) for answer, turn in zip(answers, turns, strict=True)]
    temperature = fit_temperature([answer.score for answer in answers], right)
    confidences = [Calibration(temperature).rate(answer.score) for answer in answers]
    threshold = choose_threshold(confidences, right, recipe.max_risk)
    calibration = Calibration(temperature, threshold)
    figures = _describe_validation(answers, turns, right, confidences, calibration)
    tagger.settings = msgspec.structs.replace(settings, calibration=calibration)
    return tagger, figures


def _describe_validation(
    answers: Sequence[TaggedTurn],
    turns: Sequence[Sequence[Exemplar]],
    right: Sequence[bool],
    confidences: Sequence[float],
    calibration: Calibration,
) -> dict[str, Any]:
    if not turns:
        return {}
    answered = [
        is_good for is_good, sure in zip(right, confidences, strict=True) if sure >= calibration.threshold
    ]
    same_skills = [
        sorted(call.skill for call in answer.calls) == sorted(row.skill for row in turn if row.skill)
        for answer, turn in zip(answers, turns, strict=True)
    ]
    return {
        "validation": {
            "exact_match": _share(right),
            "skill_accuracy": _share(same_skills),
            "temperature": round(calibration.temperature, 4),
            "threshold": round(calibration.threshold, 4),
            "answered": round(len(answered) / len(turns), 4),
            "exact_match_of_answered": _share(answered),
            "risk_coverage": list_risks(confidences, right, _COVERAGES),
        }
    }


def _share(flags: Sequence[bool]) -> float:
    return round(sum(flags) / len(flags), 4) if flags else 0.0


def _describe_rows(data: TaggerInput, ready: TaggerData) -> dict[str, Any]:
    """Describe which rows and skills of the data are learned."""
    known = {skill.name for skill in ready.encoder.vocabulary.skills if skill.has_rows}
    return {
        "rows": {"in": len(data.train), "trained": len(ready.train), "rejected": len(ready.rejections)},
        "rejections": [f"{rejection.reason}: {rejection.message}" for rejection in ready.rejections],
        "skills_without_rows": sorted(skill.name for skill in data.skills if skill.name not in known),
    }


def _hash_splits(data: TaggerData) -> dict[str, str]:
    splits = {"train": data.train, "validation": data.validation}
    return {name: hash_split({exemplar.digest for exemplar in rows}) for name, rows in splits.items()}


def _save(tagger: Predictor, predictions: Sequence[FoldPrediction], models: Path) -> Path:
    """Save the tagger, and what its folds say, in a temporary folder.

    Raises `UserError` if the disk is full; then nothing is left.
    """
    from exemplars.models.tagger.predictor import save_tagger

    models.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".partial-", dir=models))
    try:
        with save_errors_as_user_errors(models, SPACE_ADVICE):
            save_tagger(tagger, folder)
            if predictions:
                write_fold_predictions(folder, predictions)
    except UserError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder
