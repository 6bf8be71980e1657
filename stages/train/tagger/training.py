"""The training loop of a tagger: deterministic by seed, and resumed from its last checkpoint. Imports torch."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import torch
from torch import Tensor

from exemplars.core.files import replace_file
from exemplars.core.terminal import print_errors
from exemplars.models.number_formats import supports_bf16
from exemplars.models.tagger.features import SPECIAL, Target
from exemplars.models.tagger.matches import Matcher
from exemplars.models.tagger.network import Scores, TaggerNetwork
from exemplars.models.tagger.tensors import collate
from exemplars.models.tagger.vocabulary import NO_SKILL, Vocabulary
from stages.train.loss_log import LossLogger, format_losses
from stages.train.params import Precision, Shared
from stages.train.precision import choose_precision, measure_speedup
from stages.train.recipe_params import Tagger
from stages.train.remaining_time import StepClock
from stages.train.tagger.batches import build_batches
from stages.train.tagger.rows import Encoder, TaggerRow

_IGNORED: Final = -100
_DESCRIPTIONS: Final = 64
"""Descriptions that are embedded together."""
_CHECKPOINT: Final = "tagger.pt"
_PRINTED_LINES: Final = 10
_ADAM_BETA1: Final = 0.9
EpochRows = Callable[[int], Sequence[TaggerRow]]
"""Makes the rows of an epoch, always in the same order."""


class TaggerResult(NamedTuple):
    """What a training did."""

    steps: int
    tokens: int
    """Without padding."""
    resumed_from: int | None
    train_loss: float
    seconds: float
    precision: Mapping[str, Any]
    """Fields of a `PrecisionChoice`."""


class _State:
    """Where a training is."""

    def __init__(self) -> None:
        self.step = 0
        self.epoch = 0
        self.batch = 0
        """The next batch of the epoch."""
        self.tokens = 0
        self.losses: list[float] = []
        self.seconds = 0.0
        self.precision: dict[str, Any] = {}
        """A `PrecisionChoice`; empty before the first batch. A resumed training keeps it."""


class TaggerTraining:
    """The training of a network."""

    def __init__(self, network: TaggerNetwork, loss: TaggerLoss, recipe: Tagger, shared: Shared) -> None:
        """loss: of a batch."""
        self.network = network
        self.loss = loss
        self.recipe = recipe
        self.shared = shared
        network.encoder.get_input_embeddings().requires_grad_(recipe.train_embeddings)
        own = network.list_own_weights()
        is_own = {id(weights) for weights in own}
        others = [
            weights for weights in network.parameters() if weights.requires_grad and id(weights) not in is_own
        ]
        groups = [
            {"params": others, "peak": recipe.learning_rate},
            {"params": own, "peak": recipe.head_learning_rate},
        ]
        self.optimizer = torch.optim.AdamW(
            groups,
            lr=recipe.learning_rate,
            betas=(_ADAM_BETA1, shared.adam_beta2),
            weight_decay=shared.weight_decay,
            fused=True,  # On a CPU, the loops over weights take a quarter of the time of a step.
        )
        self.state = _State()
        self._clock = StepClock()

    def fit(self, epoch_rows: EpochRows, folder: Path, log: LossLogger) -> TaggerResult:
        """Fit the network, or resume from the checkpoint in a folder, which is that of this very run."""
        resumed = self._load(folder)
        start = time.monotonic() - self.state.seconds
        for step in range(1, self.state.step + 1):
            self._log(step, log)
        self.network.train()
        while self.state.epoch < self.recipe.epochs and not self._is_done():
            rows = epoch_rows(self.state.epoch)
            lengths = [len(row.encoded.input_ids) for row in rows]
            recipe, seed = self.recipe, self.shared.seed
            batches = build_batches(lengths, recipe.batch_rows, recipe.batch_tokens, seed, self.state.epoch)
            steps = self.shared.max_steps or len(batches) * recipe.epochs
            if not self.state.precision:
                largest = max(batches, key=lambda batch: sum(lengths[place] for place in batch))
                self.state.precision = self._choose_precision([rows[place] for place in largest])
            self.network.has_bf16 = self.state.precision["chosen"] == Precision.BF16
            while self.state.batch < len(batches) and not self._is_done():
                loss = self._take_step([rows[place] for place in batches[self.state.batch]], len(batches))
                self._log(self.state.step, log)
                self._print(loss, steps)
                self.state.seconds = time.monotonic() - start
                if self.state.step % self.shared.checkpoint_every == 0:
                    self._save(folder)
            if self.state.batch == len(batches):
                self.state.epoch, self.state.batch = self.state.epoch + 1, 0
        self.network.has_bf16 = False
        state = self.state
        self._log(state.step, log, is_last=True)
        mean = sum(state.losses) / max(1, len(state.losses))
        return TaggerResult(
            state.step, state.tokens, resumed, mean, time.monotonic() - start, state.precision
        )

    def _choose_precision(self, rows: Sequence[TaggerRow]) -> dict[str, Any]:
        """Choose the number format of the encoder. rows: of a large batch, for the measurement."""

        def measure() -> float | None:
            batch = collate([row.encoded for row in rows], self.loss.pad, self.loss.matcher)
            return measure_speedup(self.network.encoder, lambda: self.network.encode(batch))

        choice = choose_precision(
            self.shared.precision, has_gpu=False, is_native=supports_bf16(), measure=measure
        )
        return dict(msgspec.to_builtins(choice))

    def _is_done(self) -> bool:
        return self.shared.max_steps is not None and self.state.step >= self.shared.max_steps

    def _take_step(self, rows: Sequence[TaggerRow], batches: int) -> float:
        """Take an optimizer step on the rows of a batch, and return their loss."""
        share = self._measure_progress(batches)
        rate = min(share / self.shared.warmup_share if self.shared.warmup_share else 1.0, 1.0) * (
            (1 - share) / (1 - self.shared.warmup_share) if share > self.shared.warmup_share else 1.0
        )
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * rate
        loss = self.loss(self.network, rows, self._draw_own(len(rows)))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.shared.max_grad_norm)
        self.optimizer.step()
        state = self.state
        state.step, state.batch = state.step + 1, state.batch + 1
        state.tokens += sum(len(row.encoded.input_ids) for row in rows)
        state.losses.append(round(float(loss.detach()), 6))
        return state.losses[-1]

    def _draw_own(self, rows: int) -> Tensor | None:
        """Draw which skills are known by more than their descriptions; "no call" always is.

        All are if all have train rows: no skill then has to be called by its description.
        """
        if not self.recipe.unseen_share or bool(self.loss.has_rows.all()):
            return None
        with_own = (torch.rand(rows, len(self.loss.has_rows)) >= self.recipe.unseen_share).float()
        with_own[:, NO_SKILL] = 1.0
        return with_own

    def _measure_progress(self, batches: int) -> float:
        """Measure the share of the training that this step ends, from 0 to 1."""
        if self.shared.max_steps is not None:
            return (self.state.step + 0.5) / self.shared.max_steps
        return (self.state.epoch + (self.state.batch + 0.5) / batches) / self.recipe.epochs

    def _log(self, step: int, log: LossLogger, is_last: bool = False) -> None:
        """Log the mean loss since the step that was logged before."""
        every = self.shared.log_every
        is_due = (step % every != 0) if is_last else (step % every == 0)
        if is_due:
            losses = self.state.losses[(step - 1) // every * every : step]
            log(step, {"loss": sum(losses) / len(losses)})

    def _print(self, loss: float, steps: int) -> None:
        """Print a line for each tenth of the training, and the time that is left, once it is known."""
        step = self.state.step
        if (left := self._clock.note_step(steps - step)) is not None:
            print_errors([f"train: {left}"])
        if step * _PRINTED_LINES // steps > (step - 1) * _PRINTED_LINES // steps:
            print_errors([format_losses(step, steps, {"loss": loss})])

    def _save(self, folder: Path) -> None:
        """Save everything that the rest of the training depends on."""
        content = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "state": vars(self.state),
        }
        folder.mkdir(parents=True, exist_ok=True)
        with replace_file(folder / _CHECKPOINT) as partial:
            torch.save(content, partial)

    def _load(self, folder: Path) -> int | None:
        """Load the checkpoint of a folder, and return its step; `None` if it is missing or damaged."""
        content = _read_checkpoint(folder / _CHECKPOINT)
        if content is None:
            return None
        self.network.load_state_dict(content["network"])
        self.optimizer.load_state_dict(content["optimizer"])
        torch.set_rng_state(content["random"])
        vars(self.state).update(content["state"])
        return self.state.step


def _read_checkpoint(path: Path) -> Mapping[str, Any] | None:
    """Read a checkpoint; `None` if it is missing or damaged, for which torch has many errors."""
    try:
        content: Mapping[str, Any] = torch.load(path, weights_only=True)
    except (OSError, RuntimeError, ValueError, LookupError, EOFError, pickle.UnpicklingError):
        return None
    return content


class TaggerLoss:
    """The loss of a batch: the sum of the mean losses of skills, of tags and of choices."""

    def __init__(self, vocabulary: Vocabulary, matcher: Matcher, pad: int) -> None:
        """pad: the id of the padding token."""
        self.vocabulary = vocabulary
        self.matcher = matcher
        self.pad = pad
        self.has_rows = torch.tensor([True, *(skill.has_rows for skill in vocabulary.skills)])

    def __call__(
        self, network: TaggerNetwork, rows: Sequence[TaggerRow], with_own: Tensor | None = None
    ) -> Tensor:
        """Compute the loss. Tags and choices compete with those of the same skill only.

        with_own: as the network takes it.
        """
        scores = network(collate([row.encoded for row in rows], self.pad, self.matcher), with_own)
        calls = [(place, target) for place, row in enumerate(rows) for target in row.targets]
        loss = self._compute_skill_loss(scores, rows)
        loss = loss + self._compute_tag_loss(scores.tags, rows, calls)
        return loss + self._compute_choice_loss(scores.choices, calls) / len(rows)

    def _compute_skill_loss(self, scores: Scores, rows: Sequence[TaggerRow]) -> Tensor:
        """Compute the loss of the skills, of which several share the probability, and of their being several.

        Skills without train rows do not compete: that they are never called says nothing about them. Only validation
        rows call them.
        """
        shares = torch.zeros_like(scores.skills)
        for place, row in enumerate(rows):
            for target in row.targets:
                shares[place, target.skill] = 1 / len(row.targets)
        competes = self.has_rows | (shares > 0)
        logits = scores.skills.masked_fill(~competes, torch.finfo(scores.skills.dtype).min)
        is_several = torch.tensor([float(len(row.targets) > 1) for row in rows])
        loss = torch.nn.functional.cross_entropy(logits, shares)
        return loss + torch.nn.functional.binary_cross_entropy_with_logits(scores.several, is_several)

    def _compute_tag_loss(
        self, logits: Tensor, rows: Sequence[TaggerRow], calls: Sequence[tuple[int, Target]]
    ) -> Tensor:
        """Compute the loss of the tags, summed over the tokens of each row that are in a text, for each call."""
        starts = self.vocabulary.tag_starts
        calls = [(place, target) for place, target in calls if target.skill != NO_SKILL]
        if not calls:
            return logits.new_zeros(())
        tags = torch.full((len(calls), logits.shape[1]), _IGNORED)
        allowed = torch.zeros(len(calls), logits.shape[2], dtype=torch.bool)
        allowed[:, 0] = True
        for number, (place, target) in enumerate(calls):
            first = starts[target.skill]
            allowed[number, first : starts[target.skill + 1]] = True
            numbers = [
                _IGNORED if turn == SPECIAL else tag and tag - 1 + first
                for tag, turn in zip(target.tags, rows[place].encoded.turns, strict=True)
            ]
            tags[number, : len(numbers)] = torch.tensor(numbers)
        called = logits[[place for place, _ in calls]]
        masked = called.masked_fill(~allowed.unsqueeze(1), torch.finfo(logits.dtype).min)
        total = torch.nn.functional.cross_entropy(
            masked.flatten(0, 1), tags.flatten(), ignore_index=_IGNORED, reduction="sum"
        )
        return total / len(rows)

    def _compute_choice_loss(self, logits: Tensor, calls: Sequence[tuple[int, Target]]) -> Tensor:
        """Compute the loss of the choices, summed over all slots."""
        starts = self.vocabulary.choice_starts
        total = logits.new_zeros(())
        for place, target in calls:
            bounds = starts[target.skill]
            for slot, choice in enumerate(target.choices):
                scores = logits[place, bounds[slot] : bounds[slot + 1]]
                if len(scores) > 1:
                    total = total + torch.logsumexp(scores, 0) - scores[choice]
        return total


@torch.inference_mode()  # type: ignore[untyped-decorator]
def embed_descriptions(
    network: TaggerNetwork, encoder: Encoder, texts: Sequence[str], pad: int, matcher: Matcher
) -> Tensor:
    """Embed descriptions by an encoder that is not trained yet: unit vectors, of shape (texts, width).

    A description that does not fit into the window is cut; nothing is said in it.
    """
    network.eval()
    vectors = []
    for start in range(0, len(texts), _DESCRIPTIONS):
        encoded = [encoder.encode_start(text) for text in texts[start : start + _DESCRIPTIONS]]
        batch = collate(encoded, pad, matcher)
        said = batch.said.unsqueeze(-1)
        states = (network.encode(batch) * said).sum(1)
        vectors.append(torch.nn.functional.normalize(states, dim=1))
    return torch.cat(vectors)


@torch.inference_mode()  # type: ignore[untyped-decorator]
def compute_mean_loss(
    network: TaggerNetwork, loss: TaggerLoss, rows: Sequence[TaggerRow], batch_rows: int
) -> float:
    """Compute the mean loss of rows, without dropout."""
    network.eval()
    total = 0.0
    for start in range(0, len(rows), batch_rows):
        batch = rows[start : start + batch_rows]
        total += float(loss(network, batch)) * len(batch)
    return total / len(rows)
