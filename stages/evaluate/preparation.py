"""What an evaluation needs before any system answers: usable runs, systems, tasks with prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exemplars.core import layout
from exemplars.core.conditions import Condition
from exemplars.core.names import check_name
from exemplars.models.base_models import find_base, load_tokenizer, read_context_length
from exemplars.models.candidates import make_candidate_finder
from exemplars.models.copying import learn_copy_rules
from exemplars.models.prompt_style import ToolSource
from stages.evaluate.inputs import Inputs, build_tasks, encode_task, order_neighbors
from stages.evaluate.loaders import Models, Run, choose_prompt_tagger, load_models, read_runs
from stages.evaluate.params import EvaluateParams, Robustness
from stages.evaluate.ranking import rank_skills, rate_ranking
from stages.evaluate.report import Retrieval
from stages.evaluate.robustness import Variant, build_variant, find_release
from stages.evaluate.system_names import Kind, System, choose_systems
from stages.evaluate.task import Task


class Preparation(NamedTuple):
    """What an evaluation needs before any system answers."""

    runs: Mapping[str, Run]
    systems: Mapping[str, System]
    models: Models
    tasks: Mapping[Condition, Task]
    variants: Mapping[Robustness, Variant]
    retrieval: Retrieval

    @property
    def asked(self) -> dict[str, Task]:
        """All that systems are asked: the tasks of the conditions, and the variants."""
        variants = {kind.value: variant.task for kind, variant in self.variants.items()}
        return {**{condition.value: task for condition, task in self.tasks.items()}, **variants}


def prepare_evaluation(inputs: Inputs, names: Sequence[str], params: EvaluateParams) -> Preparation:
    """Prepare an evaluation. names: of the runs.

    Raises `UserError` with all that is wrong with the runs, and with the names of systems.
    """
    base = inputs.manifest.base
    folders = {check_name(name, "run"): layout.model(name) for name in names}
    runs = read_runs(folders, find_base(base).sha256, inputs.digests)
    systems = choose_systems(params.compare, params.reference, {name: run.role for name, run in runs.items()})
    models = load_models(runs, base, list(inputs.skills.values()))
    order = order_neighbors(inputs)
    questions, style = [turn.question for turn in inputs.turns], inputs.manifest.style
    tagger = choose_prompt_tagger(models, style)
    ranking = rank_skills(models.retriever, questions, order, inputs.train, params.tools)
    if style.tools_from is ToolSource.TAGGER and tagger is not None:
        ranking = ranking.add_tagger(tagger.rank_skills(questions))
    retrieval = Retrieval(ranking.by, ranking.tools, rate_ranking(ranking, inputs.turns, inputs.train))
    find_candidates = make_candidate_finder(style, inputs.recognizers, tagger)
    tasks = build_tasks(inputs, order, ranking.list_shown(), params, find_candidates)
    variants: dict[Robustness, Variant] = {}
    if any(system.kind in (Kind.LANGUAGE_MODEL, Kind.CASCADE) for system in systems.values()):
        tasks, variants = add_prompts(tasks, inputs, params)
    return Preparation(runs, systems, models, tasks, variants, retrieval)


def add_prompts(
    tasks: Mapping[Condition, Task], inputs: Inputs, params: EvaluateParams
) -> tuple[dict[Condition, Task], dict[Robustness, Variant]]:
    """Add what language models need: the tokens of prompts that `render` did not make, and rules for copying.

    Returns the tasks, and the variants of that under `oracle`.
    """
    files = find_base(inputs.manifest.base)
    tokenizer, context = load_tokenizer(files), read_context_length(files)
    limit = None if context is None else context - params.max_new_tokens
    rules = learn_copy_rules(inputs.train) if params.copy else None
    encoded = {
        condition: encode_task(task, inputs.rendered.keys(), tokenizer, limit)._replace(copy_rules=rules)
        for condition, task in tasks.items()
    }
    oracle, release = encoded[Condition.ORACLE], find_release(params)
    variants = {
        kind: build_variant(kind, oracle, inputs.rendered, tokenizer, limit, release)
        for kind in params.robustness
    }
    return encoded, variants
