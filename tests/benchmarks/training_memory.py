"""The memory that training takes, against what `exemplars estimate` says, for several recipes on the default data.

    python tests/benchmarks/training_memory.py [RECIPE ...]

Run it after `dvc repro render`. Each recipe trains in a process of its own, for three steps of the largest kind, whose
peak of resident memory is read from the kernel. Fails if one differs from its estimate by more than `FACTOR`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from exemplars.core.params import load_section
from exemplars.models.base_models import find_base, load_encoder, load_tokenizer
from exemplars.models.library_messages import suppress_library_messages
from stages.render.params import RenderParams
from stages.train.params import Shared, TrainParams
from stages.train.recipe_params import Recipe, Tagger

FACTOR: Final = 1.35
RECIPES: Final = ("lora", "full", "freeze", "dora", "prompt_tuning", "adapter", "tagger")
STEPS: Final = 3


def read_peak() -> int:
    """Read the peak of resident memory of this process, in bytes."""
    status = Path("/proc/self/status").read_text("ascii")
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert match is not None
    return int(match[1]) * 1024


def train_language_model(recipe: Recipe, shared: Shared) -> None:
    """Train on the rows of the largest steps."""
    from stages.train.batches import build_batches
    from stages.train.inputs import read_prompts
    from stages.train.recipes import prepare_model
    from stages.train.rows import build_chat_rows
    from stages.train.run import adjust_batching, load_base
    from stages.train.training import fit

    base = find_base(load_section("render", RenderParams).base)
    shared = msgspec.structs.replace(adjust_batching(recipe, shared), max_steps=STEPS, validation_rows=0)
    rows = build_chat_rows(read_prompts("train")[0])
    batches = [[row for group in batch for row in group] for batch in build_batches(rows, shared.batch_rows)]
    batches.sort(key=lambda batch: -sum(len(row.input_ids) for row in batch))
    model = prepare_model(load_base(base, recipe, shared), recipe)
    largest = [row for batch in batches[:STEPS] for row in batch]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "checkpoints"
        fit(model, load_tokenizer(base), largest, [], shared, recipe.learning_rate, folder, lambda *_: None)


def train_tagger(recipe: Tagger, shared: Shared) -> None:
    """Train on the longest rows."""
    from exemplars.models.tagger.matches import Matcher
    from exemplars.models.tagger.network import TaggerNetwork
    from stages.train.tagger.fitting import prepare_data
    from stages.train.tagger.inputs import read_tagger_input
    from stages.train.tagger.rows import encode_epoch
    from stages.train.tagger.training import TaggerLoss, TaggerTraining

    base = find_base(recipe.encoder)
    data = prepare_data(read_tagger_input(), recipe, load_tokenizer(base))
    rows = list(encode_epoch(data.encoder, [[row] for row in data.train], lambda turn: turn))
    rows.sort(key=lambda row: -len(row.encoded.input_ids))
    vocabulary = data.encoder.vocabulary
    network = TaggerNetwork(load_encoder(base), vocabulary, recipe.dropout).train()
    loss = TaggerLoss(vocabulary, Matcher(vocabulary, data.encoder.skills), data.pad)
    training = TaggerTraining(network, loss, recipe, shared)
    count = max(1, recipe.batch_tokens // len(rows[0].encoded.input_ids))
    for _ in range(STEPS):
        training._take_step(rows[:count], STEPS)


def measure(name: str) -> None:
    """Train in this process, and print its peak."""
    suppress_library_messages()
    params = load_section("train", TrainParams)
    recipe = params.recipes[name]
    if isinstance(recipe, Tagger):
        train_tagger(recipe, params.shared)
    else:
        train_language_model(recipe, params.shared)
    print(read_peak())


def compare(name: str) -> float:
    """Compare the peak of a recipe with its estimate, print both, and return the estimate as a multiple of the peak."""
    command = [sys.executable, __file__, "--measure", name]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    peak = int(done.stdout.split()[-1])
    said = [sys.executable, "-m", "exemplars.cli.main", "estimate", "--recipe", name, "--format", "json"]
    done = subprocess.run(said, stdout=subprocess.PIPE, text=True, check=False, env=environment)
    estimate = int(json.loads(done.stdout)["memory"]["total"])
    print(
        f"{name:>14}: estimate {estimate / 2**20:6,.0f} MiB, peak {peak / 2**20:6,.0f} MiB: {estimate / peak:.2f} of it"
    )
    return estimate / peak


def main(names: list[str]) -> None:
    """Compare all recipes; fail if an estimate is far from the truth."""
    ratios = {name: compare(name) for name in names}
    far = [name for name, ratio in ratios.items() if not 1 / FACTOR <= ratio <= FACTOR]
    if far:
        raise SystemExit(f"estimates of {', '.join(far)} differ by more than a factor of {FACTOR}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2])
    else:
        main(sys.argv[1:] or list(RECIPES))
