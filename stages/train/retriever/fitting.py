"""The encoder of a retriever, fitted to rows, and the index that it makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from exemplars.core import layout
from exemplars.core.records import Exemplar, Rejection
from exemplars.dataset.catalog import Skill
from exemplars.models.base_models import save_errors_as_user_errors
from exemplars.models.retriever.texts import describe_skill
from stages.train.loss_log import LossLogger
from stages.train.params import RunParams
from stages.train.recipe_params import Lsr, Retriever
from stages.train.retriever.anchors import build_anchors, mine_negatives
from stages.train.retriever.batches import BatchPlanner, Pair
from stages.train.retriever.inputs import RetrieverInput
from stages.train.run import SPACE_ADVICE

if TYPE_CHECKING:
    from exemplars.models.retriever.retriever import Retriever as Predictor
    from exemplars.models.retriever.retriever import Settings
    from stages.train.retriever.training import RetrieverResult


class RetrieverData(NamedTuple):
    """What a retriever is trained on."""

    train: list[Exemplar]
    rejections: list[Rejection]
    """The train rows that cannot be learned."""


def fit_index_encoder(
    before: Predictor,
    data: RetrieverData,
    skills: Sequence[Skill],
    params: RunParams,
    checkpoints: Path,
    log: LossLogger,
) -> RetrieverResult:
    """Fit the encoder of an index, whose vectors it no longer makes. Raises `UserError` if the disk is full."""
    from stages.train.retriever.training import average_weights, fit_retriever

    recipe, shared = params.chosen, params.shared
    assert isinstance(recipe, Retriever)
    batches = _plan_batches(before, data, skills, params)
    keeping = average_weights(before.encoder, recipe.start_share)
    with save_errors_as_user_errors(layout.MODELS, SPACE_ADVICE), keeping:
        return fit_retriever(before.encoder, batches, recipe, shared, checkpoints, log)


def _plan_batches(
    before: Predictor, data: RetrieverData, skills: Sequence[Skill], params: RunParams
) -> list[list[Pair]]:
    """Plan all batches; hard negatives are found by the encoder as it is before training."""
    from exemplars.models.retriever.encoder import encode_queries
    from exemplars.models.retriever.retriever import join_question

    recipe, shared = params.chosen, params.shared
    assert isinstance(recipe, Retriever)
    encoder, settings, index = before.encoder, before.settings, before.index
    anchors = build_anchors(data.train, lambda text, row: join_question(encoder, settings, text, row))
    places = {entry.text: place for place, entry in enumerate(index.entries)}
    documents = index.vectors[[places[anchor.documents[0]] for anchor in anchors]]
    if settings.prompts.query == settings.prompts.document:  # The utterances are in the index already.
        queries = index.vectors[[places[anchor.query] for anchor in anchors]]
    else:
        queries = encode_queries(encoder, [anchor.query for anchor in anchors])
    descriptions = {skill.name: describe_skill(skill) for skill in skills}
    negatives = mine_negatives(anchors, queries, documents)
    planner = BatchPlanner(anchors, descriptions, negatives, recipe.mined_share, shared.seed)
    return list(planner.plan(shared.max_steps or recipe.steps, recipe.batch_skills))


def index_rows(encoder: Any, settings: Settings, ready: RetrieverData, data: RetrieverInput) -> Predictor:
    """Index the train rows, the templates and the descriptions of all skills."""
    from exemplars.models.retriever.retriever import build_retriever

    return build_retriever(encoder, settings, ready.train, data.templates, data.skills)


def make_settings(recipe: Retriever | Lsr) -> Settings:
    """Make the settings of a retriever from its recipe; how many tools it shows is measured later."""
    from exemplars.models.retriever.encoder import Prompts
    from exemplars.models.retriever.retriever import Settings

    return Settings(
        recipe.max_tokens,
        recipe.context_turns,
        prompts=Prompts(recipe.query_prompt, recipe.document_prompt),
        dimensions=min(recipe.dimensions, default=None),
    )
