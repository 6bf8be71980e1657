"""Entry point of `train`: `python -m stages.train RECIPE`, or `accelerate launch -m stages.train RECIPE` for GPUs."""

from __future__ import annotations

import sys

from exemplars.core import layout
from exemplars.core.code_version import parse_stage_key, run_stage
from exemplars.core.params import load_section
from exemplars.models.library_messages import suppress_library_messages
from stages.train.inputs import read_prompts, read_texts
from stages.train.manifest import summarize_run
from stages.train.params import Continued, Tagger, TrainParams
from stages.train.run import keep_run, train_run
from stages.train.tagger.inputs import read_tagger_input
from stages.train.tagger.run import train_tagger


def main() -> str | None:
    """Read the rows and the base, train by the recipe, write weights, manifest and report."""
    params = load_section("train", TrainParams).get_run(parse_stage_key(sys.argv[1:], "train", "recipe"))
    suppress_library_messages()
    if isinstance(params.chosen, Tagger):
        tagged = train_tagger(params, read_tagger_input(), layout.MODELS)
        keep_run(tagged, layout.model(params.recipe))
        return summarize_run(tagged.manifest)
    train, rendered = read_prompts("train")
    splits = {"train": train, "validation": read_prompts("validation")[0]}
    texts = read_texts(params.chosen.text) if isinstance(params.chosen, Continued) else {}
    trained = train_run(params, rendered, splits, texts, layout.MODELS)
    if trained is None:  # Another process writes the run.
        return None
    keep_run(trained, layout.model(params.recipe))
    return summarize_run(trained.manifest)


if __name__ == "__main__":
    sys.exit(run_stage("train", main))
