"""Training throughput on the default data, against a bare PyTorch loop on the same batches and fp32, in one run.

Run it after `dvc repro render`: `python tests/benchmarks/training.py [STEPS]`. Tokens are those of the rows,
so that ways to batch them can be compared: what is padded or shared does not count.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
import torch

from exemplars.core.params import load_section
from exemplars.models.base_models import find_base, load_model, load_tokenizer
from exemplars.models.library_messages import suppress_library_messages
from exemplars.models.render_manifest import read_render_manifest
from stages.train.batches import SharedPrefixCollator, build_batches, pack_groups
from stages.train.fitting import FitResult
from stages.train.inputs import read_prompts
from stages.train.params import Batching, Precision, RunParams, TrainParams
from stages.train.recipes import prepare_model
from stages.train.rows import IGNORED, TokenRow, build_chat_rows
from stages.train.run import set_seeds
from stages.train.training import fit

STEPS = 16


def tokens_of(rows: list[TokenRow]) -> int:
    """The tokens of rows, each counted wholly."""
    return sum(len(row.input_ids) for row in rows)


def by_train(
    model: Any,
    tokenizer: Any,
    rows: list[TokenRow],
    params: RunParams,
    batching: Batching = Batching.SHARED_PREFIX,
    precision: Precision = Precision.FP32,
) -> FitResult:
    """Train one epoch of `rows` by the project's own path."""
    shared = msgspec.structs.replace(
        params.shared, batching=batching, precision=precision, epochs=1, max_steps=None, validation_rows=0
    )
    rate = params.chosen.learning_rate
    with tempfile.TemporaryDirectory() as name:
        return fit(model, tokenizer, rows, [], shared, rate, Path(name) / "c", lambda *_: None)


def by_bare_loop(model: Any, rows: list[TokenRow], params: RunParams) -> float:
    """Seconds that the same batches take in a loop that does nothing else."""
    collate = SharedPrefixCollator()
    batches = [
        collate([pack_groups(groups)._asdict()]) for groups in build_batches(rows, params.shared.batch_rows)
    ]
    trained = [weights for weights in model.parameters() if weights.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=params.chosen.learning_rate, fused=True)
    model.train()
    start = time.perf_counter()
    for batch in batches:
        labels = batch.pop("labels")[0]
        places = (labels != IGNORED).nonzero().squeeze(1)
        logits = model(**batch, use_cache=False, logits_to_keep=places - 1).logits[0]
        torch.nn.functional.cross_entropy(logits, labels[places]).backward()
        torch.nn.utils.clip_grad_norm_(trained, params.shared.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad()
    return time.perf_counter() - start


def main(steps: int) -> None:
    """Measure, and print one line for each way of batching."""
    suppress_library_messages()
    params = load_section("train", TrainParams).get_run("lora")
    base = find_base(read_render_manifest().base)
    tokenizer = load_tokenizer(base)
    every = build_batches(build_chat_rows(read_prompts("train")[0]), params.shared.batch_rows)
    rows = [
        row for batch in every[:: max(1, len(every) // steps)][:steps] for group in batch for row in group
    ]
    set_seeds(params.shared.seed)
    model = prepare_model(load_model(base, dtype="float32"), params.chosen)
    by_bare_loop(model, rows[:16], params)  # Warm.
    bare = by_bare_loop(model, rows, params)
    ours = by_train(model, tokenizer, rows, params).seconds
    padded = by_train(model, tokenizer, rows, params, Batching.RANDOM).seconds
    grouped = by_train(model, tokenizer, rows, params, Batching.GROUP_BY_LENGTH).seconds
    # A model that was trained in fp32 is not cast again.
    fresh = prepare_model(load_model(base, dtype="float32"), params.chosen)
    auto = by_train(fresh, tokenizer, rows, params, precision=Precision.AUTO)
    tokens = tokens_of(rows)
    print(f"{len(rows)} rows of {tokens:,} tokens, recipe {params.recipe}")
    for name, seconds in (
        ("bare loop", bare),
        ("train", ours),
        ("by length", grouped),
        ("as they come", padded),
        ("auto", auto.seconds),
    ):
        print(f"{name:>14}: {seconds:6.1f} s, {tokens / seconds:6.1f} tokens/s")
    print(
        f"train does {bare / ours:.2f} of the bare loop, and {padded / ours:.2f} times rows as they come, padded"
    )
    chosen = auto.precision
    print(f"precision: auto, here {chosen.chosen} ({chosen.reason}), does {ours / auto.seconds:.2f} of fp32")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else STEPS)
