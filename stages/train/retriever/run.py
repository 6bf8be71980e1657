"""A run of the recipe `retriever`: from rows to an encoder, an index and a manifest."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from exemplars.core import layout
from exemplars.core.digests import hash_content, hash_split
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ledger import Ledger
from exemplars.core.records import Exemplar, Template
from exemplars.dataset.catalog import Skill, encode_catalog
from exemplars.models.base_models import (
    BaseFiles,
    find_base,
    hash_model,
    read_context_length,
    save_errors_as_user_errors,
)
from exemplars.models.fold_predictions import FoldPrediction, write_fold_predictions
from exemplars.models.retriever.metrics import choose_tools, find_rank, rank_rows, rate_rows
from exemplars.models.retriever.ranking import View
from exemplars.models.retriever.words import rank_by_words
from exemplars.models.run_manifest import Manifest
from stages.train.checks import check_packages
from stages.train.folds import describe_folds, divide_rows
from stages.train.loss_log import open_loss_log
from stages.train.manifest import build_run_id, describe_run, encode_digests, hash_params
from stages.train.params import RunParams
from stages.train.recipe_params import Lsr, Retriever
from stages.train.recipes import count_parameters
from stages.train.retriever.anchors import select_rows
from stages.train.retriever.fitting import RetrieverData, fit_index_encoder, index_rows, make_settings
from stages.train.retriever.folds import predict_train_rows
from stages.train.retriever.inputs import RetrieverInput
from stages.train.run import SPACE_ADVICE, TrainedRun, set_seeds

if TYPE_CHECKING:
    from exemplars.models.retriever.retriever import Retriever as Predictor
    from stages.train.retriever.training import RetrieverResult

_MIN_HITS: Final = 0.99
"""The share of validation rows whose skill is among the tools that a prompt shows."""


def train_retriever(params: RunParams, data: RetrieverInput, models: Path) -> TrainedRun:
    """Train a retriever, or resume a killed training of the same run; then index the train rows, and measure it.

    models: the folder of all models. Raises `UserError` if the encoder or the data is unusable, or the disk is full.
    """
    from exemplars.models.retriever.encoder import load_sentence_encoder

    recipe, shared = params.chosen, params.shared
    assert isinstance(recipe, Retriever)
    check_packages(recipe, shared)
    base = find_base(recipe.encoder)
    check_window(base, recipe.max_tokens)
    folds = divide_rows(data.train, recipe.folds, params.recipe)
    encoder, settings = load_sentence_encoder(base), make_settings(recipe)
    ready = prepare_data(data, recipe, encoder)
    digests, validation = ([row.digest for row in rows] for rows in (ready.train, data.validation))
    params_hash = hash_retriever_params(params, base.sha256, digests, validation, data.templates, data.skills)
    run = build_run_id(params.recipe, digests, params_hash)
    checkpoints = models / ".checkpoints" / run
    set_seeds(shared.seed)
    called = [row for row in data.validation if row.skill]
    before = index_rows(encoder, settings, ready, data)
    others = rank_by_others(before, "untrained", ready, data.skills, called)
    with open_loss_log(layout.train_plots(params.recipe)) as log:
        result = fit_index_encoder(before, ready, data.skills, params, checkpoints, log)
    retriever = index_rows(encoder, settings, ready, data)
    figures = measure_rankings(retriever, ready, called, others)
    predictions = predict_train_rows(folds, params, data, ready, base, checkpoints)
    folder = save_in_temporary_folder(retriever, models, predictions)
    lines = encode_digests(set(digests))
    manifest = make_manifest(run, params, base, folder, digests, validation, result)
    report = {**describe_rows(data, ready), **figures, **describe_folds(predictions, data.train)}
    return TrainedRun(manifest, folder, lines, count_parameters(encoder), checkpoints, report)


def make_manifest(
    run: str,
    params: RunParams,
    base: BaseFiles,
    folder: Path,
    digests: Iterable[str],
    validation: Iterable[str],
    result: RetrieverResult,
) -> Manifest:
    """Make the manifest of a run. folder: with its weights. digests: of the rows that it was trained on."""
    assert isinstance(params.chosen, Retriever | Lsr)
    return Manifest(
        run=run,
        recipe=params.recipe,
        params=msgspec.to_builtins({"recipe": params.chosen, "shared": params.shared}),
        rows_sha256=hash_content(encode_digests(set(digests))),
        weights_sha256=hash_model(folder),
        data_hashes={"train": hash_split(set(digests)), "validation": hash_split(set(validation))},
        seed=params.shared.seed,
        base=params.chosen.encoder,
        base_sha256=base.sha256,
        base_license=base.license,
        steps=result.steps,
        precision=msgspec.to_builtins(result.precision),
        tokens=result.tokens,
        resumed_from=result.resumed_from,
        seconds=round(result.seconds, 1),
        losses={name: round(value, 6) for name, value in result.losses.items()},
        **describe_run(),
    )


def rank_by_others(
    before: Predictor, name: str, ready: RetrieverData, skills: Sequence[Skill], rows: Sequence[Exemplar]
) -> dict[str, list[list[str]]]:
    """Rank the skills for rows by BM25, and by the retriever before training. name: of the latter."""
    ranked = rank_rows(before, rows)[View.FUSED]
    return {"bm25": rank_by_words(ready.train, skills, rows), name: ranked}


def hash_retriever_params(
    params: RunParams,
    base_sha256: str,
    digests: Iterable[str],
    validation: Iterable[str],
    templates: Iterable[Template],
    skills: Sequence[Skill],
) -> str:
    """Hash all that determines a run: recipe, encoder, rows, templates and catalog.

    digests: of the train rows that are learned. validation: of the validation rows.
    """
    others = [sorted(set(validation)), [template.template for template in templates]]
    catalog = hash_content(encode_catalog(skills))
    return hash_params(params, base_sha256, sorted(set(digests)), [*others, catalog])


def prepare_data(data: RetrieverInput, recipe: Retriever | Lsr, encoder: Any) -> RetrieverData:
    """Select the rows that fit into the window. Raises `UserError` if no row with a call is left."""
    from exemplars.models.retriever.encoder import count_tokens

    ledger = Ledger("train")
    train = select_rows(data.train, lambda text: count_tokens(encoder, text), recipe.max_tokens, ledger)
    ledger.check_conservation(len(data.train), len(train))
    if not any(row.skill for row in train):
        problem = Diagnostic(
            path="data/splits/train.parquet",
            code="empty_split",
            found="no row with a call to train on",
            expected="at least one row for the recipe",
            fix="see reports/details/split.json for where the rows went, or raise max_tokens of the recipe",
        )
        raise UserError([problem])
    return RetrieverData(train, ledger.rejections)


def check_window(base: BaseFiles, max_tokens: int) -> None:
    """Raise `UserError` if the window of an encoder has fewer than `max_tokens` tokens."""
    longest = read_context_length(base)
    if longest is not None and max_tokens > longest:
        problem = Diagnostic(
            path="params.yaml",
            code="invalid_value",
            found=f"max_tokens: {max_tokens}, for an encoder with a window of {longest} tokens",
            expected=f"at most {longest}",
            fix="correct the recipe",
        )
        raise UserError([problem])


def measure_rankings(
    retriever: Predictor,
    ready: RetrieverData,
    rows: Sequence[Exemplar],
    others: Mapping[str, list[list[str]]],
) -> dict[str, Any]:
    """Measure the rankings of validation rows, and set the number of tools.

    rows: with a call. others: the rankings of other systems, on the same rows.
    """
    if not rows:
        return {"tools": retriever.tools}
    ranked = rank_rows(retriever, rows)
    ranks = [find_rank(names, row.skill or "") for names, row in zip(ranked[View.FUSED], rows, strict=True)]
    retriever.settings = msgspec.structs.replace(retriever.settings, tools=choose_tools(ranks, _MIN_HITS))
    systems = {**{view.value: names for view, names in ranked.items()}, **others}
    return {
        "tools": retriever.tools,
        "retrieval": rate_rows(systems, rows, {row.skill for row in ready.train}),
    }


def describe_rows(data: RetrieverInput, ready: RetrieverData) -> dict[str, Any]:
    """Describe which rows and skills of the data are learned."""
    seen = {row.skill for row in ready.train}
    return {
        "rows": {"in": len(data.train), "trained": len(ready.train), "rejected": len(ready.rejections)},
        "rejections": [f"{rejection.reason}: {rejection.message}" for rejection in ready.rejections],
        "skills_without_rows": sorted(skill.name for skill in data.skills if skill.name not in seen),
    }


def save_in_temporary_folder(
    retriever: Predictor, models: Path, predictions: Sequence[FoldPrediction] = ()
) -> Path:
    """Save the retriever, and what its folds say, in a temporary folder.

    Raises `UserError` if the disk is full; then nothing is left.
    """
    from exemplars.models.retriever.retriever import save_retriever

    models.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".partial-", dir=models))
    try:
        with save_errors_as_user_errors(models, SPACE_ADVICE):
            save_retriever(retriever, folder)
            if predictions:
                write_fold_predictions(folder, predictions)
    except UserError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder
