"""The shell of the stage `evaluate`: `python -m stages.evaluate RECIPE`."""

from __future__ import annotations

import sys

from exemplars.core import layout
from exemplars.core.errors import run_main
from exemplars.core.files import write_json
from exemplars.core.params import load_section
from exemplars.core.tables import read_table, rows_to_table, write_table
from exemplars.dataset.catalog import decode_catalog
from exemplars.models.render_manifest import read_render_manifest
from exemplars.models.rows import TRAINING_SCHEMA, Prediction
from exemplars.models.run_manifest import read_manifest
from stages.evaluate.evaluation import confusion, evaluated, prediction_rows
from stages.evaluate.inputs import base_loader, question_of, tuned_loader
from stages.evaluate.params import EvaluateParams
from stages.evaluate.report import error_rows, evaluate_report
from stages.evaluate.systems import answers_of
from stages.evaluate.text_metrics import text_columns


def main() -> None:
    """Ask all systems the test rows, judge their answers, write predictions, figures and plots."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m stages.evaluate RECIPE")
    params = load_section("evaluate", EvaluateParams)
    tables = {name: read_table(layout.training(name), TRAINING_SCHEMA) for name in ("train", "test")}
    rendered, folder = read_render_manifest(), layout.model(sys.argv[1])
    manifest = read_manifest(folder)
    tuned = tuned_loader(folder, manifest, rendered.base, tables["test"].column("digest").to_pylist())
    question = question_of(tables, decode_catalog(layout.CATALOG.read_bytes()), rendered, params)
    answers = answers_of(question, base_loader(rendered.base), tuned, params)
    seen = frozenset(one for one in tables["train"].column("service").to_pylist() if one)
    right = [row["messages"][-1]["content"] for row in question.rows]
    wanted = answers if params.text_metrics else {}
    texts = {system: text_columns([one.text for one in said], right) for system, said in wanted.items()}
    found = evaluated(question, answers, params, seen, texts)
    write_table(layout.PREDICTIONS, rows_to_table(prediction_rows(found), Prediction))
    write_json(layout.plot("evaluate", "errors"), error_rows(found, params.reference))
    write_json(layout.plot("evaluate", "confusion"), confusion(found, params.reference))
    write_json(layout.report("evaluate"), evaluate_report(found, manifest.run, params))


if __name__ == "__main__":
    sys.exit(run_main(main))
