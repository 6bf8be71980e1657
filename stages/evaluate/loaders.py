"""The runs that are evaluated: their roles, what makes one unusable, and the models they load."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from exemplars.core.errors import Diagnostic, UserError
from exemplars.dataset.catalog import Skill
from exemplars.models.answering_models import answers_in_bf16, load_answering_model, move_to_device
from exemplars.models.base_models import Base, find_base, load_model, load_tokenizer
from exemplars.models.prompt_style import CandidateSource, PromptStyle, ToolSource
from exemplars.models.run_manifest import ROWS, Manifest, read_manifest
from stages.evaluate.system_names import Role, find_role

Loader = Callable[[], tuple[Any, Any]]
"""Loads a language model and its tokenizer, ready to predict."""


class Run(NamedTuple):
    """A run that is evaluated."""

    folder: Path
    manifest: Manifest

    @property
    def role(self) -> Role:
        """What it is for."""
        return find_role(self.manifest.method)


class Models(NamedTuple):
    """What answers: language models that are loaded when they are asked, and taggers."""

    loaders: Mapping[str | None, Loader]
    """Of language models, by run; `None`: the base model."""
    taggers: Mapping[str, Any]
    """By run."""
    retriever: Any | None = None
    """The first of the runs; `None` without one."""


def read_runs(folders: Mapping[str, Path], base_sha256: str, test_digests: Collection[str]) -> dict[str, Run]:
    """Read the manifests of runs, by name.

    base_sha256: of the model that the rows were rendered for. Raises `UserError` with all that is wrong: a manifest
    that is missing or damaged, a language model on a different base, a run that was trained on a test row.
    """
    runs: dict[str, Run] = {}
    problems: list[Diagnostic] = []
    for name, folder in folders.items():
        try:
            runs[name] = Run(folder, read_manifest(folder))
        except UserError as error:
            problems += error.diagnostics
    for run in runs.values():
        problems += _find_problems(run, base_sha256, test_digests)
        problems += _find_old_start(run, runs)
    if problems:
        raise UserError(problems)
    return runs


def describe_runs(runs: Mapping[str, Run]) -> dict[str, dict[str, str]]:
    """Describe runs for the report, by name; of language models also the number format of their weights."""
    return {name: _describe_run(run) for name, run in runs.items()}


def _describe_run(run: Run) -> dict[str, str]:
    described = {"run": run.manifest.run, "role": run.role.value}
    if run.role is Role.LANGUAGE_MODEL:
        described["precision"] = "bf16" if answers_in_bf16(run.manifest) else "fp32"
    return described


def load_models(runs: Mapping[str, Run], base: Base, skills: Sequence[Skill]) -> Models:
    """Load the encoders among the runs, and make loaders of the language models.

    Raises `UserError` with the problems of all encoders, such as a catalog that has changed since the training.
    """
    problems: list[Diagnostic] = []
    encoders: dict[Role, dict[str, Any]] = {role: {} for role in Role}
    loaders: dict[str | None, Loader] = {None: _make_base_loader(base)}
    for name, run in runs.items():
        if run.role is Role.LANGUAGE_MODEL:
            loaders[name] = functools.partial(load_answering_model, run.folder)
            continue
        if run.role is Role.REWARD:
            continue
        try:
            encoders[run.role][name] = _load_encoder(run, skills)
        except UserError as error:
            problems += error.diagnostics
    if problems:
        raise UserError(problems)
    return Models(loaders, encoders[Role.TAGGER], next(iter(encoders[Role.RETRIEVER].values()), None))


def choose_prompt_tagger(models: Models, style: PromptStyle) -> Any | None:
    """Choose the tagger that prompts have their tools or candidate values from: the first; `None`: they need none.

    Raises `UserError` if they need one, and no run is a tagger.
    """
    if style.tools_from is not ToolSource.TAGGER and style.candidates is not CandidateSource.TAGGER:
        return None
    tagger = next(iter(models.taggers.values()), None)
    if tagger is None:
        problem = Diagnostic(
            path="params.yaml",
            code="evaluation_input",
            found="no tagger in train.runs",
            expected="the one that prompts have tools or candidates from, as render says",
            fix="add `tagger: splits` to train.runs, or change render.tools_from and render.candidates",
        )
        raise UserError([problem])
    return tagger


def _load_encoder(run: Run, skills: Sequence[Skill]) -> Any:
    if run.role is Role.TAGGER:
        from exemplars.models.tagger.predictor import load_tagger

        return load_tagger(run.folder, skills)
    from exemplars.models.retriever.retriever import load_retriever

    return load_retriever(run.folder, skills)


def _find_problems(run: Run, base_sha256: str, test_digests: Collection[str]) -> Iterator[Diagnostic]:
    manifest = run.manifest
    if run.role is Role.LANGUAGE_MODEL and manifest.base_sha256 != base_sha256:
        found = f"a run on the base {manifest.base_sha256[:16]}…"
        expected = f"the base {base_sha256[:16]}…, for which the rows were rendered"
        yield _describe_unusable(run, found, expected, f"{manifest.run} is {found}, not on {expected}")
    try:
        seen = set((run.folder / ROWS).read_text("ascii").split())
    except OSError:
        found = f"no {ROWS}"
        yield _describe_unusable(
            run, found, "it", f"{manifest.run} has {found}, which says what it was trained on"
        )
        return
    leaked = seen.intersection(test_digests)
    if leaked:
        found = f"{len(leaked)} test row(s)"
        yield _describe_unusable(run, found, "none", f"{manifest.run} was trained on {found}")


def _find_old_start(run: Run, runs: Mapping[str, Run]) -> Iterator[Diagnostic]:
    """Find that the run which a run trained further was trained again since, so that a comparison would mislead."""
    start = run.manifest.start
    current = None if start is None else runs.get(start.recipe)
    if start is not None and current is not None and current.manifest.weights_sha256 != start.weights_sha256:
        found, expected = f"the start {start.run}, which was trained again since", f"{current.manifest.run}"
        recipe = run.manifest.recipe
        yield Diagnostic(
            path=str(run.folder),
            code="evaluation_input",
            found=found,
            expected=expected,
            summary=f"{run.manifest.run} starts from {start.run}, but {start.recipe} was trained again since",
            fix=f"run `dvc repro --force --single-item train@{recipe}`, then `dvc repro evaluate`",
        )


def _make_base_loader(base: Base) -> Loader:
    def load() -> tuple[Any, Any]:
        files = find_base(base)
        return move_to_device(load_model(files, dtype="float32")), load_tokenizer(files)

    return load


def _describe_unusable(run: Run, found: str, expected: str, summary: str) -> Diagnostic:
    return Diagnostic(
        path=str(run.folder),
        code="evaluation_input",
        found=found,
        expected=expected,
        summary=summary,
        fix="run `dvc repro train`, then `dvc repro evaluate`",
    )
