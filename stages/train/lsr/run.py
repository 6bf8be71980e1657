"""A run of the recipe `lsr`: from a retriever and a generator to a query encoder, scores and a manifest."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from exemplars.core import layout
from exemplars.core.digests import hash_content
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.schemas import derive_schema
from exemplars.core.tables import read_table, rows_from_table, rows_to_table, write_table
from exemplars.dataset.catalog import Skill
from exemplars.models.base_models import (
    BaseFiles,
    find_base,
    load_model,
    load_tokenizer,
    read_context_length,
    save_errors_as_user_errors,
)
from stages.train.checks import check_packages
from stages.train.loss_log import open_loss_log
from stages.train.lsr.questions import CandidateScore, PromptWriter, ScoredQuestion, sample_turns
from stages.train.manifest import build_run_id, encode_digests
from stages.train.params import RunParams
from stages.train.recipe_params import Lsr
from stages.train.recipes import count_parameters
from stages.train.retriever.fitting import RetrieverData, index_rows, make_settings
from stages.train.retriever.inputs import RetrieverInput
from stages.train.retriever.run import (
    check_window,
    describe_rows,
    hash_retriever_params,
    make_manifest,
    measure_rankings,
    prepare_data,
    rank_by_others,
    save_in_temporary_folder,
)
from stages.train.run import SPACE_ADVICE, TrainedRun, set_seeds

if TYPE_CHECKING:
    from exemplars.models.retriever.retriever import Retriever
    from stages.train.retriever.training import RetrieverResult

SCORES: Final = "lsr.parquet"
"""The file of the generator's scores, in the folder of the weights."""
_MIN_CANDIDATES: Final = 2


class _Scored(NamedTuple):
    """Questions with candidates, and what the generator says about these."""

    questions: list[ScoredQuestion]
    scores: list[CandidateScore]
    """Of each question as many as it has candidates, in their order."""


def train_lsr(params: RunParams, data: RetrieverInput, models: Path) -> TrainedRun:
    """Train the encoder of questions to prefer the examples with which a generator finds the right call most likely.

    The encoder of documents stays as it is, and with it the index. A killed training of the same run is resumed.
    models: the folder of all models. Raises `UserError` if an encoder, the generator or the data is unusable, or the
    disk is full.
    """
    from exemplars.models.retriever.encoder import load_sentence_encoder

    recipe = params.chosen
    assert isinstance(recipe, Lsr)
    check_packages(recipe, params.shared)
    base, generator = find_base(recipe.encoder), find_base(recipe.generator)
    check_window(base, recipe.max_tokens)
    encoder = load_sentence_encoder(base)
    ready = prepare_data(data, recipe, encoder)
    digests, validation = ([row.digest for row in rows] for rows in (ready.train, data.validation))
    inputs = join_hashes(base.sha256, generator.sha256)
    params_hash = hash_retriever_params(params, inputs, digests, validation, data.templates, data.skills)
    run = build_run_id(params.recipe, digests, params_hash)
    checkpoints = models / ".checkpoints" / run
    set_seeds(params.shared.seed)
    retriever = index_rows(encoder, make_settings(recipe), ready, data)
    called = [row for row in data.validation if row.skill]
    others = rank_by_others(retriever, "before", ready, data.skills, called)
    scored = _score_candidates(retriever, generator, ready, data.skills, recipe, checkpoints)
    retriever.documents = copy.deepcopy(encoder)
    result = _fit(retriever, scored, params, checkpoints)
    figures = measure_rankings(retriever, ready, called, others)
    folder = save_in_temporary_folder(retriever, models)
    write_table(folder / SCORES, rows_to_table(scored.scores, CandidateScore))
    manifest = make_manifest(run, params, base, folder, digests, validation, result)
    report = {**describe_rows(data, ready), **_describe_scores(scored, generator), **figures}
    lines = encode_digests(set(digests))
    return TrainedRun(manifest, folder, lines, count_parameters(encoder), checkpoints, report)


def join_hashes(encoder_sha256: str, generator_sha256: str) -> str:
    """Join the hashes of the two models that a run is made from."""
    return hash_content(f"{encoder_sha256} {generator_sha256}".encode())


def _score_candidates(
    retriever: Retriever,
    generator: BaseFiles,
    data: RetrieverData,
    skills: Sequence[Skill],
    recipe: Lsr,
    checkpoints: Path,
) -> _Scored:
    """Score the candidates of sampled turns, or read the scores that a killed training of this run has kept."""
    questions = list(_find_candidates(retriever, data, recipe))
    kept = checkpoints / SCORES
    if kept.is_file():
        table = read_table(kept, derive_schema(CandidateScore))
        return _Scored(questions, rows_from_table(table, CandidateScore))
    tokenizer = load_tokenizer(generator)
    writer = PromptWriter(tokenizer, {skill.name: skill for skill in skills}, data.train)
    scores = list(_run_generator(generator, tokenizer, writer, retriever, questions))
    with save_errors_as_user_errors(checkpoints.parents[1], SPACE_ADVICE):
        write_table(kept, rows_to_table(scores, CandidateScore))
    return _Scored(questions, scores)


def _find_candidates(retriever: Retriever, data: RetrieverData, recipe: Lsr) -> Iterator[ScoredQuestion]:
    """Find the candidates of sampled turns, of other groups than theirs; all have the same number.

    Raises `UserError` if there are fewer than two.
    """
    turns = sample_turns(data.train, recipe.rows)
    places = retriever.find_places(
        [turn.question for turn in turns],
        recipe.candidates,
        [{turn.first.group} for turn in turns],
        rows_only=True,
    )
    count = min(map(len, places), default=0)
    if count < _MIN_CANDIDATES:
        problem = Diagnostic(
            path="data/splits/train.parquet",
            code="empty_split",
            found=f"a turn with {count} example(s) of other groups",
            expected=f"at least {_MIN_CANDIDATES}, among which lsr learns to choose",
            fix="add rows, or train the recipe retriever",
        )
        raise UserError([problem])
    for turn, found in zip(turns, places, strict=True):
        yield ScoredQuestion(turn, tuple(found[:count]))


def _run_generator(
    generator: BaseFiles,
    tokenizer: Any,
    writer: PromptWriter,
    retriever: Retriever,
    questions: Iterable[ScoredQuestion],
) -> Iterator[CandidateScore]:
    """Yield the scores of all candidates. Raises `UserError` if a prompt is longer than the generator's context."""
    from stages.train.lsr.likelihoods import measure_likelihoods
    from stages.train.training import find_pad_token

    model, longest = load_model(generator, dtype="float32").eval(), read_context_length(generator)
    index = retriever.index
    vectors = retriever.encode_questions([question.turn.question for question in questions])
    for question, vector in zip(questions, vectors, strict=True):
        digests = [index.entries[place].digest for place in question.candidates]
        rows = list(writer.write(question.turn, digests))
        if longest is not None and (most := max(len(row.input_ids) for row in rows)) > longest:
            raise UserError([_report_length(question.turn.id, most, longest)])
        likelihoods = measure_likelihoods(model, rows, find_pad_token(tokenizer))
        similarities = index.vectors[list(question.candidates)] @ vector
        for rank, (digest, likelihood) in enumerate(zip(digests, likelihoods, strict=True), 1):
            similarity = round(float(similarities[rank - 1]), 6)
            yield CandidateScore(question.turn.first.digest, digest, rank, similarity, likelihood)


def _report_length(row: str, tokens: int, longest: int) -> Diagnostic:
    return Diagnostic(
        path=row,
        code="too_long",
        found=f"a prompt of {tokens} tokens with one example",
        expected=f"at most {longest}, the context of the generator",
        fix="choose a generator with a longer context, or shorten the descriptions of its tools",
    )


def _fit(retriever: Retriever, scored: _Scored, params: RunParams, checkpoints: Path) -> RetrieverResult:
    """Fit the encoder of questions. The result has the losses of all questions before and after training, too."""
    import numpy as np
    import torch

    from stages.train.lsr.loss import LikelihoodLoss
    from stages.train.lsr.training import compute_loss, plan_passes
    from stages.train.retriever.training import EncoderTask, fit_encoder

    recipe, shared = params.chosen, params.shared
    assert isinstance(recipe, Lsr)
    texts = [retriever.join_context(question.turn.question) for question in scored.questions]
    places = [list(question.candidates) for question in scored.questions]
    likelihoods = torch.tensor([score.log_likelihood for score in scored.scores]).reshape(len(places), -1)
    vectors = torch.from_numpy(np.ascontiguousarray(retriever.index.vectors[places]))
    loss = LikelihoodLoss(retriever.encoder, vectors, likelihoods, recipe)
    before = compute_loss(loss, texts)
    numbers, sizes = plan_passes(len(texts), recipe, shared)
    task = EncoderTask(
        columns={"query": [texts[number] for number in numbers], "label": numbers},
        sizes=sizes,
        loss=loss,
        learning_rate=recipe.learning_rate,
        prompts={"query": recipe.query_prompt},
    )
    models, folder = checkpoints.parents[1], layout.train_plots(params.recipe)
    with open_loss_log(folder) as log, save_errors_as_user_errors(models, SPACE_ADVICE):
        result = fit_encoder(retriever.encoder, task, shared, checkpoints, log)
    return result._replace(
        losses={**result.losses, "loss_before": before, "loss_after": compute_loss(loss, texts)}
    )


def _describe_scores(scored: _Scored, generator: BaseFiles) -> dict[str, Any]:
    """Describe what the generator was asked."""
    return {
        "generator_sha256": generator.sha256,
        "questions": len(scored.questions),
        "candidates": len(scored.questions[0].candidates),
    }
