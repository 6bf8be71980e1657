"""Training throughput of the tagger on the default data, against a bare PyTorch loop on the same batches, in one run.

Run it after `dvc repro split`: `python tests/benchmarks/tagger_training.py [STEPS]`. The bare loop has its tensors
ready, and does nothing but compute the loss, its gradients and the step. Both take processor time, so that other work
on the machine counts little; they take turns, batch by batch.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from exemplars.core.params import load_section
from exemplars.core.turns import group_by_turn
from exemplars.models.base_models import find_base, load_encoder, load_tokenizer
from exemplars.models.library_messages import suppress_library_messages
from exemplars.models.tagger.features import SPECIAL
from exemplars.models.tagger.matches import Matcher
from exemplars.models.tagger.network import TaggerNetwork
from exemplars.models.tagger.tensors import Batch, collate
from exemplars.models.tagger.vocabulary import Vocabulary
from stages.train.params import TrainParams
from stages.train.recipe_params import Tagger
from stages.train.tagger.batches import build_batches
from stages.train.tagger.fitting import TaggerData, prepare_data
from stages.train.tagger.inputs import read_tagger_input
from stages.train.tagger.rows import TaggerRow, encode_epoch
from stages.train.tagger.training import TaggerLoss, TaggerTraining

STEPS = 24


class ReadyBatch(NamedTuple):
    """A batch whose targets are tensors."""

    batch: Batch
    skills: Any
    """The probability of each skill of a row."""
    several: Any
    called: Any
    """The row of each call."""
    tags: Any
    """Of each call; -100 where nothing is supervised."""
    allowed: Any
    choices: Any
    """The places of the scores of each choice, -1 for none: of shape (choices, scores)."""
    rows: Any
    chosen: Any


def make_ready(rows: Sequence[TaggerRow], vocabulary: Vocabulary, matcher: Matcher) -> ReadyBatch:
    """The tensors of a batch."""
    batch = collate([row.encoded for row in rows], 0, matcher)
    calls = [(place, target) for place, row in enumerate(rows) for target in row.targets if target.skill]
    skills = torch.zeros(len(rows), 1 + len(vocabulary.skills))
    tags = torch.full((len(calls), batch.input_ids.shape[1]), -100)
    allowed = torch.zeros(len(calls), 1, vocabulary.tag_starts[-1], dtype=torch.bool)
    allowed[:, :, 0] = True
    choices: list[tuple[int, list[int], int]] = []
    for place, row in enumerate(rows):
        for target in row.targets:
            skills[place, target.skill] = 1 / len(row.targets)
    for number, (place, target) in enumerate(calls):
        first, end = vocabulary.tag_starts[target.skill : target.skill + 2]
        allowed[number, 0, first:end] = True
        for token, tag in enumerate(target.tags):
            if rows[place].encoded.turns[token] != SPECIAL:
                tags[number, token] = tag and tag - 1 + first
        bounds = vocabulary.choice_starts[target.skill]
        for slot, choice in enumerate(target.choices):
            choices.append((place, list(range(bounds[slot], bounds[slot + 1])), choice))
    width = max((len(places) for _, places, _ in choices), default=1)
    padded = [[*places, *[-1] * (width - len(places))] for _, places, _ in choices]
    return ReadyBatch(
        batch,
        skills,
        torch.tensor([float(len(row.targets) > 1) for row in rows]),
        torch.tensor([place for place, _ in calls]),
        tags,
        allowed,
        torch.tensor(padded).reshape(-1, width),
        torch.tensor([place for place, _, _ in choices]),
        torch.tensor([choice for _, _, choice in choices]),
    )


def take_bare_step(network: TaggerNetwork, optimizer: Any, ready: ReadyBatch, max_norm: float) -> None:
    """One optimizer step, and nothing else."""
    scores, rows = network(ready.batch), len(ready.skills)
    loss = cross_entropy(scores.skills, ready.skills)
    loss = loss + binary_cross_entropy_with_logits(scores.several, ready.several)
    if len(ready.called):
        masked = scores.tags[ready.called].masked_fill(~ready.allowed, -1e30)
        loss = loss + cross_entropy(masked.flatten(0, 1), ready.tags.flatten(), reduction="sum") / rows
    if len(ready.chosen):
        chosen = scores.choices[ready.rows.unsqueeze(1), ready.choices]
        chosen = chosen.masked_fill(ready.choices < 0, -1e30)
        loss = loss + cross_entropy(chosen, ready.chosen, reduction="sum") / rows
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), max_norm)
    optimizer.step()


def measure(params: TrainParams, recipe: Tagger, data: TaggerData, steps: int) -> tuple[int, float, float]:
    """The rows of the steps, and the seconds that the project's loop and the bare one take for them."""
    base, vocabulary = find_base(recipe.encoder), data.encoder.vocabulary
    ours, bare = (TaggerNetwork(load_encoder(base), vocabulary, recipe.dropout).train() for _ in range(2))
    matcher = Matcher(vocabulary, data.encoder.skills)
    loss = TaggerLoss(vocabulary, matcher, data.pad)
    training = TaggerTraining(ours, loss, recipe, params.shared)
    bare.encoder.get_input_embeddings().requires_grad_(recipe.train_embeddings)
    trained = [weights for weights in bare.parameters() if weights.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=recipe.learning_rate, fused=True)
    turns = list(group_by_turn(data.train).values())
    rows = list(encode_epoch(data.encoder, turns, lambda turn: turn))
    lengths = [len(row.encoded.input_ids) for row in rows]
    batches = build_batches(lengths, recipe.batch_rows, recipe.batch_tokens, params.shared.seed, 0)
    counted, seconds = 0, [0.0, 0.0]
    for number, places in enumerate(batches[: steps + 1]):
        batch = [rows[place] for place in places]
        ready = make_ready(batch, vocabulary, matcher)
        start = time.process_time()
        training._take_step(batch, len(batches))
        middle = time.process_time()
        take_bare_step(bare, optimizer, ready, params.shared.max_grad_norm)
        if number:  # The first step of each allocates memory.
            counted += len(batch)
            seconds[0] += middle - start
            seconds[1] += time.process_time() - middle
    return counted, seconds[0], seconds[1]


def main(steps: int) -> None:
    """Measure, and print rows a second of both loops."""
    suppress_library_messages()
    params = load_section("train", TrainParams)
    recipe = params.recipes["tagger"]
    assert isinstance(recipe, Tagger)
    data = prepare_data(read_tagger_input(), recipe, load_tokenizer(find_base(recipe.encoder)))
    rows, ours, bare = measure(params, recipe, data, steps)
    print(f"tagger: {rows / ours:.1f} rows a second, bare loop {rows / bare:.1f}: {bare / ours:.2f} of it")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else STEPS)
