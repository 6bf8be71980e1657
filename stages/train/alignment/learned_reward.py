"""The reward of a trained model of rewards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from exemplars.models.chat_templates import encode_text, find_end_of_turn
from exemplars.models.decoding import Completion
from exemplars.models.reward_model import load_reward_run
from exemplars.models.rows import TrainingRow
from stages.train.alignment.rewards import Rewarder
from stages.train.alignment.tree_forward import compute_scores_in_trees
from stages.train.batches import LeftPaddingCollator
from stages.train.training import find_pad_token


def make_learned_reward(folder: Path, tokenizer: Any) -> Rewarder:
    """Make the function that rewards answers by the score of a run. folder: of the run.

    An answer that did not end is scored as it is. Raises `UserError` if there is no such run, or if it is unusable.
    """
    model = load_reward_run(folder, find_pad_token(tokenizer), dtype="float32")
    compute_scores_in_trees(model)
    collate, end = LeftPaddingCollator(find_pad_token(tokenizer)), find_end_of_turn(tokenizer)

    def reward(rows: Sequence[TrainingRow], answers: Sequence[Completion]) -> list[float]:
        examples = []
        for row, answer in zip(rows, answers, strict=True):
            ids = [*row.input_ids[: row.prompt_tokens], *encode_text(tokenizer, answer.text)]
            ids += [end] if answer.ended else []
            examples.append({"input_ids": ids, "labels": ids})
        batch = collate(examples)
        with torch.inference_mode():
            output = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
        return [float(score) for score in output.logits.squeeze(-1)]

    return reward
