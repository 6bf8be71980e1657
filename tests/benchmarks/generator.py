"""A language model of this workspace, constrained, on the rows of a split: `python tests/benchmarks/generator.py`.

Run it after `dvc repro train`. Prompts show the skills that the retriever ranks best in the whole catalog, as under
`end_to_end`. `--tools 2,3,4` compares numbers of tools, `--copy both` texts that are copied with any texts; the same
prompt is decoded once. `--split validation`, the default, is for choosing settings; `--run`, `--retriever`: folders.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec
import pyarrow as pa

from exemplars.core import layout
from exemplars.core.conditions import Condition
from exemplars.core.errors import UserError
from exemplars.core.params import load_section
from exemplars.core.tables import read_table
from exemplars.dataset.catalog import read_catalog
from exemplars.dataset.recognizers import read_recognizers
from exemplars.models.answering_models import load_answering_model
from exemplars.models.candidates import make_candidate_finder
from exemplars.models.library_messages import suppress_library_messages
from exemplars.models.prompt_style import CandidateSource
from exemplars.models.render_manifest import read_render_manifest
from exemplars.models.retriever.retriever import load_retriever
from exemplars.models.tagger.predictor import load_tagger
from stages.evaluate.evaluation import evaluate_systems
from stages.evaluate.inputs import SCHEMAS, Inputs, assemble_inputs, build_tasks
from stages.evaluate.language_models import answer_by_model
from stages.evaluate.params import EvaluateParams
from stages.evaluate.preparation import add_prompts
from stages.evaluate.ranking import rank_skills
from stages.evaluate.system_names import Kind, System
from stages.evaluate.task import Task

SYSTEM = System("constrained", Kind.LANGUAGE_MODEL, "run", is_constrained=True)


def read_split(split: str, params: EvaluateParams) -> Inputs:
    """What `evaluate` reads, with another split in the place of test."""
    tables: dict[Path, pa.Table] = {path: read_table(path, schema) for path, schema in SCHEMAS.items()}
    for find in (layout.training, layout.split):
        tables[find("test")] = read_table(find(split), SCHEMAS[find("test")])
    lexicon = read_recognizers(layout.LEXICON).recognizers
    return assemble_inputs(tables, read_catalog(layout.CATALOG), read_render_manifest(), params, lexicon)


def build_settings(
    inputs: Inputs, retriever_folder: Path, counts: list[int], copies: list[bool]
) -> dict[str, Task]:
    """The task under each setting, by its name."""
    params = load_section("evaluate", EvaluateParams)
    retriever = load_retriever(retriever_folder, list(inputs.skills.values()))
    questions = [turn.question for turn in inputs.turns]
    style = inputs.manifest.style
    tagger = None
    if style.candidates is CandidateSource.TAGGER:
        tagger = load_tagger(layout.model("tagger"), list(inputs.skills.values()))
    find_candidates = make_candidate_finder(style, inputs.recognizers, tagger)
    nearest = [list(range(len(inputs.train)))] * len(questions)  # Prompts show no examples.
    tasks = {}
    for count in counts:
        shown = rank_skills(retriever, questions, nearest, inputs.train, count).list_shown()
        plain = build_tasks(inputs, nearest, shown, params, find_candidates)
        for copy in copies:
            prompted, _ = add_prompts(
                plain, inputs, msgspec.structs.replace(params, copy=copy, robustness=())
            )
            tasks[f"{count} tools, copy {str(copy).lower()}"] = prompted[Condition.END_TO_END]
    return tasks


def print_task(name: str, task: Task, replies: dict[str, list[object]], params: EvaluateParams) -> None:
    """A line: exact match of all rows, of single utterances and of dialogues."""
    scored = evaluate_systems(task, replies, msgspec.structs.replace(params, reference=SYSTEM.name), {})  # type: ignore[arg-type]
    exact = scored.figures[SYSTEM.name]["exact_match"]
    turns = scored.slices[SYSTEM.name]["turn"]
    parts = [f"{kind} {figure.value:.3f} of {rows}" for kind, (rows, figure) in sorted(turns.items())]
    print(f"{name:24} exact {exact.value:.3f} ({exact.low:.3f}-{exact.high:.3f}); {'; '.join(parts)}")


def main() -> str | None:
    """Decode the split under each setting, and print the figures."""
    suppress_library_messages()
    parser = argparse.ArgumentParser()
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--run", type=Path, default=layout.model("lora"))
    parser.add_argument("--retriever", type=Path, default=layout.model("retriever"))
    parser.add_argument("--tools", default="3")
    parser.add_argument("--copy", choices=("true", "false", "both"), default="true")
    parser.add_argument("--max-rows", type=int)
    arguments = parser.parse_args()
    copies = {"true": [True], "false": [False], "both": [True, False]}[arguments.copy]
    try:
        params = load_section("evaluate", EvaluateParams)
        params = msgspec.structs.replace(params, max_rows=arguments.max_rows, speech=False)
        inputs = read_split(arguments.split, params)
        tasks = build_settings(
            inputs, arguments.retriever, [int(count) for count in arguments.tools.split(",")], copies
        )
        model, tokenizer = load_answering_model(arguments.run)
    except UserError as error:
        return str(error)
    for name, task in tasks.items():
        replies = answer_by_model([SYSTEM], {name: task}, model, tokenizer, params)
        print_task(name, task, {SYSTEM.name: list(replies[name][SYSTEM.name])}, params)
    return None


if __name__ == "__main__":
    sys.exit(main())
