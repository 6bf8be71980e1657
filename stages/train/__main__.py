"""Entry point of `train`: `python -m stages.train RECIPE`, or `accelerate launch -m stages.train RECIPE` for GPUs."""

from __future__ import annotations

import sys

from exemplars.core import layout
from exemplars.core.code_version import parse_stage_key, run_stage
from exemplars.core.params import load_section
from exemplars.models.library_messages import suppress_library_messages
from stages.train.manifest import summarize_run
from stages.train.params import TrainParams
from stages.train.run import keep_run
from stages.train.trainers import train_recipe


def main() -> str | None:
    """Read the rows and the base, train by the recipe, write weights, manifest and report."""
    params = load_section("train", TrainParams).get_run(parse_stage_key(sys.argv[1:], "train", "recipe"))
    suppress_library_messages()
    trained = train_recipe(params, layout.MODELS)
    if trained is None:  # Another process writes the run.
        return None
    keep_run(trained, layout.model(params.recipe))
    return summarize_run(trained.manifest)


if __name__ == "__main__":
    sys.exit(run_stage("train", main))
