"""Entry point of `evaluate`: `python -m stages.evaluate [RUN ...]`, by default all runs of `train.runs`."""

from __future__ import annotations

import sys

from exemplars.core.code_version import run_stage
from exemplars.core.conditions import Condition
from exemplars.core.params import load_section, read_runs
from exemplars.models.library_messages import suppress_library_messages
from stages.evaluate.evaluation import evaluate_systems
from stages.evaluate.inputs import read_inputs
from stages.evaluate.outputs import write_evaluation
from stages.evaluate.params import EvaluateParams
from stages.evaluate.preparation import prepare_evaluation
from stages.evaluate.robustness import rate_variants
from stages.evaluate.systems import collect_replies
from stages.evaluate.text_metrics import compute_reply_columns


def main() -> str:
    """Read rows and models, collect and score the answers of all systems, write predictions and figures."""
    params = load_section("evaluate", EvaluateParams)
    suppress_library_messages()
    prepared = prepare_evaluation(read_inputs(params), sys.argv[1:] or list(read_runs()), params)
    replies = collect_replies(prepared.systems, prepared.asked, prepared.models, params)
    rows = {condition.value: task.rows for condition, task in prepared.tasks.items()}
    texts = compute_reply_columns(replies, rows) if params.text_metrics else {}
    evaluations = {
        condition: evaluate_systems(task, replies[condition], params, texts.get(condition, {}))
        for condition, task in prepared.tasks.items()
    }
    oracle = prepared.tasks[Condition.ORACLE]
    robustness = rate_variants(prepared.variants, oracle, replies, prepared.systems, params)
    return write_evaluation(evaluations, prepared.runs, prepared.retrieval, robustness, params)


if __name__ == "__main__":
    sys.exit(run_stage("evaluate", main))
