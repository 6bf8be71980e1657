"""Entry point of `evaluate`: `python -m stages.evaluate [RECIPE]`, by default the first that reads chat rows."""

from __future__ import annotations

import sys

from exemplars.core import layout
from exemplars.core.code_version import run_stage
from exemplars.core.names import check_name
from exemplars.core.params import load_section, read_runs
from exemplars.models.library_messages import suppress_library_messages
from exemplars.models.render_manifest import read_render_manifest
from exemplars.models.run_manifest import read_manifest
from stages.evaluate.evaluation import evaluate_systems
from stages.evaluate.inputs import build_question, list_digests, read_rows, read_skills
from stages.evaluate.loaders import make_base_loader, make_run_loader
from stages.evaluate.outputs import write_evaluation
from stages.evaluate.params import EvaluateParams
from stages.evaluate.systems import collect_answers
from stages.evaluate.text_metrics import compute_system_columns


def main() -> str:
    """Read rows and models, collect and score the answers of all systems, write predictions and figures."""
    models = [name for name, folder in read_runs().items() if folder == layout.TRAINING.name]
    recipe = check_name((sys.argv[1:] or models or ["lora"])[0], "recipe")
    params = load_section("evaluate", EvaluateParams)
    suppress_library_messages()
    train, test = read_rows("train"), read_rows("test")
    rendered, folder = read_render_manifest(), layout.model(recipe)
    manifest = read_manifest(folder)
    load_run = make_run_loader(folder, manifest, rendered.base, list_digests(test))
    question = build_question(train, test, read_skills(), rendered, params)
    answers = collect_answers(question, make_base_loader(rendered.base), load_run, params)
    texts = compute_system_columns(answers, question.rows) if params.text_metrics else {}
    return write_evaluation(evaluate_systems(question, answers, params, texts), manifest.run, params)


if __name__ == "__main__":
    sys.exit(run_stage("evaluate", main))
