"""The trained models of a project, ready to answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from exemplars.answering.systems import Cascade, LanguageModelSystem, System, TaggerSystem
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError, suggest_name
from exemplars.core.names import check_name
from exemplars.core.params import PATH, load_value
from exemplars.core.tables import read_table, rows_from_table
from exemplars.dataset.catalog import Skill, read_catalog
from exemplars.dataset.recognizers import Recognizer, read_recognizers, select_recognizers
from exemplars.models.answering_models import load_answering_model
from exemplars.models.candidates import make_candidate_finder
from exemplars.models.chat_templates import find_end_of_turn
from exemplars.models.copying import CopyRules, learn_copy_rules
from exemplars.models.prompt_style import FALLBACK_TOOLS, CandidateSource, PromptStyle, ToolSource
from exemplars.models.questions import Question
from exemplars.models.rows import TRAINING_SCHEMA, TrainingRow, View
from exemplars.models.run_manifest import (
    RETRIEVER,
    REWARD,
    TAGGER,
    WEIGHTS,
    get_style,
    read_manifest,
)

if TYPE_CHECKING:  # Its module imports torch, which takes a second.
    from exemplars.models.tagger.predictor import Tagger

_SILENT: Final = (RETRIEVER, "continued", REWARD)
"""The methods of runs that answer no question: they choose the tools of a prompt, write text, or score answers."""


class Run(NamedTuple):
    """A trained run that can be asked."""

    recipe: str
    method: str

    @property
    def folder(self) -> Path:
        """Where its weights are."""
        return layout.model(self.recipe)


def list_runs() -> list[Run]:
    """List the runs of this project that can be asked, in the order of `train.runs`, then by name."""
    return [run for run in _list_trained() if run.method not in _SILENT]


def _list_trained() -> list[Run]:
    """List the runs of this project that have weights, in the same order."""
    names = load_value("train", "runs") if PATH.exists() else None
    found = sorted(path.parent.name for path in layout.MODELS.glob("*/manifest.json"))
    recipes = [name for name in (names if isinstance(names, dict) else ()) if name in found]
    runs = []
    for recipe in dict.fromkeys([*recipes, *found]):
        folder = layout.model(recipe)
        if (folder / WEIGHTS).is_dir():
            runs.append(Run(recipe, read_manifest(folder).method))
    return runs


def load_system(recipe: str | None) -> System:
    """Load the system that answers: that of a recipe; `None`: the tagger, and a language model where it is not sure.

    With `None`, a project that has only one of the two has it answer. Raises `UserError` if there is no such run.
    """
    runs = list_runs()
    if recipe is not None:
        run = next((run for run in runs if run.recipe == check_name(recipe, "recipe")), None)
        if run is None:
            raise UserError([_report_missing(recipe, runs)])
        return _load_run(run)
    tagger = next((run for run in runs if run.method == TAGGER), None)
    model = next((run for run in runs if run.method != TAGGER), None)
    if tagger is not None and model is not None:
        return Cascade(_load_tagger(tagger), cache(lambda: _load_language_model(model)))
    alone = tagger or model
    if alone is None:
        raise UserError([_report_missing(None, runs)])
    return _load_run(alone)


def list_served(system: System) -> dict[str, System]:
    """List what can be asked by name: the system, and the runs that it consists of, all loaded."""
    if not isinstance(system, Cascade):
        return {system.name: system}
    model = system.load_model()
    return {system.name: system, system.tagger.name: system.tagger, model.name: model}


def read_catalog_of(system: System) -> Sequence[Skill]:
    """Read what a system may call if a question names no tools: the catalog, or that of a tagger's training."""
    if isinstance(system, TaggerSystem):
        return tuple(system.tagger.skills.values())
    return _read_catalog() or ()


def _load_run(run: Run) -> System:
    return _load_tagger(run) if run.method == TAGGER else _load_language_model(run)


def _load_tagger(run: Run) -> TaggerSystem:
    from exemplars.models.tagger.predictor import load_tagger  # Imports torch.

    return TaggerSystem(run.recipe, load_tagger(run.folder, _read_catalog()))


def _load_language_model(run: Run) -> LanguageModelSystem:
    model, tokenizer = load_answering_model(run.folder)
    # Tries the template in a process of its own, which a server could not start from a thread.
    find_end_of_turn(tokenizer)
    style = get_style(run.folder, read_manifest(run.folder))
    catalog, recognizers = _read_catalog() or (), _read_recognizers()
    tagger = _load_prompt_tagger(run, style)
    return LanguageModelSystem(
        run.recipe,
        model,
        tokenizer,
        style,
        catalog,
        recognizers,
        _load_selector(catalog, tagger if style.tools_from is ToolSource.TAGGER else None),
        _read_copy_rules(),
        make_candidate_finder(style, select_recognizers(recognizers, catalog), tagger),
    )


def _load_prompt_tagger(run: Run, style: PromptStyle) -> Tagger | None:
    """Load the tagger that the prompts of a run have their tools or candidates from; `None`: they need none.

    Raises `UserError` if they need one, and none is trained.
    """
    if style.tools_from is not ToolSource.TAGGER and style.candidates is not CandidateSource.TAGGER:
        return None
    tagger = next((run for run in list_runs() if run.method == TAGGER), None)
    if tagger is None:
        summary = f"the prompts of {run.recipe} show what a tagger says, and no tagger is trained"
        fix = "run `dvc repro train@tagger`"
        raise UserError([Diagnostic(path=str(layout.MODELS), code="not_trained", summary=summary, fix=fix)])
    return _load_tagger(tagger).tagger


def _read_copy_rules() -> CopyRules | None:
    """Read from the rendered train rows which texts a call copies, as `evaluate` does; `None` without these rows.

    `None`, too, if `evaluate.copy` says that texts are any texts.
    """
    path = layout.training("train")
    if not path.is_file() or (PATH.exists() and load_value("evaluate", "copy") is False):
        return None
    rows = rows_from_table(read_table(path, TRAINING_SCHEMA), TrainingRow)
    return learn_copy_rules(row for row in rows if row.view == View.CALL)


def _load_selector(
    catalog: Sequence[Skill], tagger: Tagger | None
) -> Callable[[Question], Sequence[Skill]] | None:
    """Load what selects the tools of a prompt: the retriever's best; `None` if no retriever is trained.

    Their number is that under which the model was evaluated (`evaluate.tools`), or the one that the retriever needs.
    tagger: selects them instead, if it is given.
    """
    skills = {skill.name: skill for skill in catalog}
    evaluated = load_value("evaluate", "tools") if PATH.exists() else None
    if tagger is not None:
        shown = evaluated if isinstance(evaluated, int) else FALLBACK_TOOLS
        return lambda question: [
            skills[name] for name in tagger.rank_skills([question])[0] if name in skills
        ][:shown]
    run = next((run for run in _list_trained() if run.method == RETRIEVER), None)
    if run is None:
        return None
    from exemplars.models.retriever.retriever import load_retriever  # Imports torch.

    retriever = load_retriever(run.folder, catalog)
    count = evaluated if isinstance(evaluated, int) else retriever.tools

    def select(question: Question) -> list[Skill]:
        ranked = retriever.rank_skills([question], count)[0]
        return [skills[skill.name] for skill in ranked]

    return select


def _read_catalog() -> tuple[Skill, ...] | None:
    """Read the catalog; `None` before `compile` has made one."""
    return read_catalog(layout.CATALOG) if layout.CATALOG.exists() else None


def _read_recognizers() -> Mapping[str, Recognizer]:
    """Read the recognizers of the project and of its sources; none before `compile` has written them."""
    return read_recognizers(layout.LEXICON).recognizers if layout.LEXICON.exists() else {}


def _report_missing(recipe: str | None, runs: Sequence[Run]) -> Diagnostic:
    """Report that no run can be asked. recipe: the one that was wanted; `None`: any."""
    names = [run.recipe for run in runs]
    fix = "run `dvc repro train`, or `dvc pull` if another machine has trained it"
    if recipe is not None and names:
        fix = suggest_name(recipe, names) or f"trained are: {', '.join(names)}"
    wanted = "there is no trained model" if recipe is None else f"the recipe {recipe!r} has no trained model"
    return Diagnostic(path=str(layout.MODELS), code="not_trained", summary=wanted, fix=fix)
