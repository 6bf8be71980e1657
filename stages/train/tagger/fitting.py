"""The network of a tagger, fitted to the rows that its encoder can encode."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ledger import Ledger
from exemplars.core.records import Exemplar, Rejection
from exemplars.core.turns import group_by_turn
from exemplars.models.base_models import BaseFiles, load_encoder, save_errors_as_user_errors
from exemplars.models.tagger.descriptions import describe_vocabulary
from exemplars.models.tagger.matches import Matcher
from exemplars.models.tagger.vocabulary import build_vocabulary
from stages.train.loss_log import LossLogger
from stages.train.params import RunParams
from stages.train.recipe_params import Tagger
from stages.train.run import SPACE_ADVICE
from stages.train.tagger.augmentation import Shares, augment_turn, build_pools, list_passes
from stages.train.tagger.rows import Encoder, TaggerInput, TaggerRow, encode_epoch, select_rows

if TYPE_CHECKING:
    from stages.train.tagger.training import TaggerResult


class TaggerData(NamedTuple):
    """What a tagger is trained on."""

    encoder: Encoder
    train: list[Exemplar]
    validation: list[Exemplar]
    """All of them: those that the encoder cannot encode count as wrong."""
    rejections: list[Rejection]
    """The train rows that cannot be learned."""
    pad: int


def prepare_data(data: TaggerInput, recipe: Tagger, tokenizer: Any) -> TaggerData:
    """Build the vocabulary from the train rows, and leave out the rows that do not fit into the window.

    Raises `UserError` if no row is left, or if none calls a skill.
    """
    skills = {skill.name: skill for skill in data.skills}
    vocabulary = build_vocabulary(data.skills, data.train)
    encoder = Encoder(tokenizer, vocabulary, skills, recipe.max_tokens, recipe.context_turns)
    ledger = Ledger("train")
    train = select_rows(encoder, data.train, ledger)
    ledger.check_conservation(len(data.train), len(train))
    if not any(exemplar.skill for exemplar in train):
        raise UserError(
            [
                Diagnostic(
                    path="data/splits/train.parquet",
                    code="empty_split",
                    found="no row with a call to train on",
                    expected="at least one row for the recipe tagger",
                    fix="see reports/details/split.json for where the rows went, or raise max_tokens of the recipe",
                )
            ]
        )
    pad = tokenizer.pad_token_id
    return TaggerData(
        encoder, train, list(data.validation), ledger.rejections, 0 if pad is None else int(pad)
    )


def fit_network(
    data: TaggerData, base: BaseFiles, params: RunParams, checkpoints: Path, log: LossLogger
) -> tuple[Any, TaggerResult, dict[str, float]]:
    """Fit a network, and compute its losses. Raises `UserError` if the disk is full."""
    from exemplars.models.tagger.network import TaggerNetwork
    from stages.train.attention import use_plain_attention
    from stages.train.tagger.training import TaggerLoss, TaggerTraining, compute_mean_loss, embed_descriptions

    recipe = params.chosen
    assert isinstance(recipe, Tagger)
    vocabulary = data.encoder.vocabulary
    network = TaggerNetwork(load_encoder(base), vocabulary, recipe.dropout)
    descriptions = describe_vocabulary(vocabulary, data.encoder.skills)
    matcher = Matcher(vocabulary, data.encoder.skills)
    network.set_descriptions(
        *(embed_descriptions(network, data.encoder, texts, data.pad, matcher) for texts in descriptions)
    )
    training = TaggerTraining(network, TaggerLoss(vocabulary, matcher, data.pad), recipe, params.shared)
    turns = list(group_by_turn(data.train).values())
    pools, shares = build_pools(turns), Shares(recipe.swap_share, recipe.speech_share, recipe.join_share)

    def encode(epoch: int) -> list[TaggerRow]:
        return [
            row
            for form, chosen in list_passes(turns, epoch, recipe.dialogue_passes)
            for row in encode_epoch(
                data.encoder, chosen, functools.partial(augment_turn, form=form, pools=pools, shares=shares)
            )
        ]

    with save_errors_as_user_errors(layout.MODELS, SPACE_ADVICE), use_plain_attention(network.encoder):
        result = training.fit(encode, checkpoints, log)
    losses = {"train_loss": round(result.train_loss, 6)}
    known = group_by_turn(select_rows(data.encoder, data.validation, Ledger("train")))
    if known:
        rows = list(encode_epoch(data.encoder, list(known.values()), lambda turn: turn))
        loss = compute_mean_loss(network, training.loss, rows, recipe.batch_rows)
        losses["validation_loss"] = round(loss, 6)
        log(result.steps, {"eval_loss": losses["validation_loss"]})
    return network, result, losses
