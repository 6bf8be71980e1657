"""Models that are trained on some folds and answer another: killed, they go on where they were."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError, suggest_name
from exemplars.core.file_locks import append_lines, keep_others_away
from exemplars.core.files import read_file
from exemplars.core.params import PATH, load_section
from exemplars.core.tables import read_table, rows_from_table
from exemplars.dataset.catalog import Skill, read_catalog
from exemplars.models.base_models import BaseFiles, find_base, load_tokenizer, save_errors_as_user_errors
from exemplars.models.decoding import Completion, decode_prompts
from exemplars.models.preference_log import encode_pairs, read_preference_lines
from exemplars.models.preference_rows import PreferencePair, hash_pair
from exemplars.models.render_manifest import RenderManifest, get_attached_manifest
from exemplars.models.rows import TRAINING_SCHEMA, TrainingRow, View
from exemplars.preferences.own_errors import Fold, collect_errors, divide_folds
from stages.evaluate.params import EvaluateParams
from stages.train.checks import check_base, check_packages, check_rows
from stages.train.manifest import build_run_id, hash_params
from stages.train.params import RunParams, TrainParams
from stages.train.recipe_params import Adapter, Freeze, Full, Lora, PromptTuning
from stages.train.recipes import prepare_model
from stages.train.rows import PromptRow, TokenRow, build_chat_rows
from stages.train.run import adjust_batching, load_base, set_seeds

FOLDS: Final = Path(".dvc/tmp/exemplars/folds")
"""The checkpoints and answers of fold models that are at work."""
_ANSWERS: Final = "answers.jsonl"
_CHECKPOINTS: Final = "checkpoints"
_SPACE_ADVICE: Final = "free some space, then run the same command: it goes on where it was"


class MiningOptions(NamedTuple):
    """How errors are looked for."""

    recipe: str
    folds: int
    steps: int | None
    """Of each training; `None`: as `train.shared` says."""
    rows: int | None
    """That each model answers, at most."""


class FoldErrors(NamedTuple):
    """What the model of a fold got wrong."""

    run: str
    trained: int
    """The number of rows that it was trained on."""
    answered: int
    kinds: Mapping[str, int]
    """The number of answers by what is wrong with them; `right` among them."""
    pairs: int
    added: int
    """The pairs that were not in the file yet."""


class _Setup(NamedTuple):
    """What all fold models have in common."""

    params: RunParams
    rendered: RenderManifest
    base: BaseFiles
    tokenizer: Any
    answering: EvaluateParams
    folds: int
    """Their number."""


class _PlannedFold(NamedTuple):
    """A fold, the rows that its model is trained on, and the id of that run."""

    fold: Fold
    rows: Sequence[TokenRow]
    run: str


def mine_errors(options: MiningOptions, report: Callable[[str], None]) -> list[FoldErrors]:
    """Train a model for each fold, have it answer the rows of its fold, and append a pair for each wrong answer.

    Rows of validation are answered, too, none of which a model is trained on; those of test are not. After a kill, the
    same command trains and asks nothing twice, and no pair is appended that the file has. report: is called with a
    line before each training. Raises `UserError` if the recipe, the rows or the base cannot be used, or if another
    command is at work.
    """
    (train, rendered), (validation, _) = map(_read_rows, ("train", "validation"))
    base = find_base(rendered.base)
    check_base(base, rendered)
    params = _choose_params(options)
    check_packages(params.chosen, params.shared)
    answering = load_section("evaluate", EvaluateParams)
    setup = _Setup(params, rendered, base, load_tokenizer(base), answering, options.folds)
    skills = {skill.name: skill for skill in read_catalog(layout.CATALOG)}
    folds = [_plan_fold(fold, setup) for fold in divide_folds(train, validation, options.folds, options.rows)]
    with keep_others_away(FOLDS.with_suffix(".lock"), "exemplars preferences mine"):
        _remove_others({fold.run for fold in folds})
        found = [_mine_fold(fold, setup, skills, report) for fold in folds]
        # Not before the last fold is done: a killed command would train and ask the others again.
        _remove_others(())
    return found


def _plan_fold(fold: Fold, setup: _Setup) -> _PlannedFold:
    """Name the run of a fold. Raises `UserError` if its rows cannot be trained on."""
    rows = _build_token_rows(fold.train)
    check_rows(rows, setup.params.recipe)
    digests = sorted({digest for row in fold.train for digest in row.digests})
    params = hash_params(setup.params, setup.base.sha256, rows, ())
    return _PlannedFold(fold, rows, build_run_id(setup.params.recipe, digests, params))


def _remove_others(runs: Collection[str]) -> None:
    """Remove what killed commands left of other runs: answers and checkpoints, which nothing else would find."""
    for folder in FOLDS.iterdir() if FOLDS.is_dir() else ():
        if folder.name not in runs:
            shutil.rmtree(folder, ignore_errors=True)


def _mine_fold(
    planned: _PlannedFold, setup: _Setup, skills: Mapping[str, Skill], report: Callable[[str], None]
) -> FoldErrors:
    """Train the model of a fold, have it answer, and append the pairs that come of it."""
    fold, rows, run = planned
    report(
        f"fold {fold.number} of {setup.folds}: {run} is trained on {len(fold.train):,} rows, "
        f"and answers {len(fold.asked):,} others"
    )
    answers = _answer_fold(fold, rows, FOLDS / run, setup)
    judged = list(collect_errors(fold.asked, answers, skills, setup.rendered.call_format, run))
    pairs = [pair for _, pair in judged if pair is not None]
    kinds = Counter(kind.value for kind, _ in judged)
    shutil.rmtree(FOLDS / run / _CHECKPOINTS, ignore_errors=True)
    return FoldErrors(run, len(fold.train), len(answers), kinds, len(pairs), _append_new(pairs))


def _read_rows(split: str) -> tuple[list[TrainingRow], RenderManifest]:
    path = layout.training(split)
    table = read_table(path, TRAINING_SCHEMA)
    rows = [row for row in rows_from_table(table, TrainingRow) if row.view == View.CALL and not row.speech]
    return rows, get_attached_manifest(table, path)


def _choose_params(options: MiningOptions) -> RunParams:
    """Choose the parameters of the trainings. Raises `UserError` if the recipe trains no model that calls."""
    train = load_section("train", TrainParams)
    recipe = train.recipes.get(options.recipe)
    known = [
        name
        for name, other in train.recipes.items()
        if isinstance(other, Full | Lora | PromptTuning | Adapter | Freeze)
    ]
    if recipe is None or options.recipe not in known:
        problem = Diagnostic(
            path=f"{PATH}: train.recipes",
            code="no_recipe",
            found=f"the recipe {options.recipe!r}",
            expected=f"one that trains a language model to call: {', '.join(known)}",
            fix=suggest_name(options.recipe, known) or "name one of them",
        )
        raise UserError([problem])
    shared = adjust_batching(recipe, train.shared)
    steps = shared.max_steps if options.steps is None else options.steps
    return RunParams(options.recipe, recipe, msgspec.structs.replace(shared, max_steps=steps))


def _build_token_rows(rows: Iterable[TrainingRow]) -> list[TokenRow]:
    prompts = (PromptRow(row.digests, row.view, row.tools, row.input_ids, row.prompt_tokens) for row in rows)
    return build_chat_rows(prompts)


def _answer_fold(fold: Fold, rows: Sequence[TokenRow], folder: Path, setup: _Setup) -> dict[str, Completion]:
    """Answer the rows of a fold, those that a killed command has answered left out."""
    path = folder / _ANSWERS
    answers = _read_answers(path)
    asked = [row for row in fold.asked if row.id not in answers]
    if asked:
        model = _train_fold(rows, folder, setup)
        for start in range(0, len(asked), setup.answering.batch_rows):
            batch = asked[start : start + setup.answering.batch_rows]
            completions = decode_prompts(
                model,
                setup.tokenizer,
                [row.input_ids[: row.prompt_tokens] for row in batch],
                None,
                setup.rendered.call_format,
                setup.answering.max_new_tokens,
                setup.answering.batch_rows,
                "",
            )
            new = {row.id: answer for row, answer in zip(batch, completions, strict=True)}
            lines = _encode_answers(new)
            append_lines(path, partial(_return_lines, lines))
            answers.update(new)
    return {row.id: answers[row.id] for row in fold.asked}


def _train_fold(rows: Sequence[TokenRow], folder: Path, setup: _Setup) -> Any:
    """Train the model of a fold, or resume its training, and return it ready to answer."""
    import torch

    from stages.train.training import fit

    params, recipe = setup.params, setup.params.chosen
    set_seeds(params.shared.seed)
    model = prepare_model(load_base(setup.base, recipe, params.shared), recipe)
    rate = recipe.learning_rate
    with save_errors_as_user_errors(FOLDS, _SPACE_ADVICE):
        result = fit(
            model, setup.tokenizer, rows, [], params.shared, rate, folder / _CHECKPOINTS, lambda *_: None
        )
    trained = result.model
    if hasattr(trained, "merge_and_unload") and not trained.active_peft_config.is_prompt_learning:
        trained = trained.merge_and_unload()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return trained.to(device, torch.float32).eval()


def _read_answers(path: Path) -> dict[str, Completion]:
    """Read the answers of a killed command; a line that it did not finish is left out."""
    answers = {}
    lines = read_file(path).split(b"\n")[:-1] if path.is_file() else []
    for line in filter(None, lines):
        row_id, text, ended = msgspec.json.decode(line, type=tuple[str, str, bool])
        answers[row_id] = Completion(text, ended)
    return answers


def _encode_answers(answers: Mapping[str, Completion]) -> bytes:
    return b"".join(
        msgspec.json.encode((row_id, answer.text, answer.ended)) + b"\n" for row_id, answer in answers.items()
    )


def _return_lines(lines: bytes, _: bytes) -> bytes:
    return lines


def _append_new(pairs: Sequence[PreferencePair]) -> int:
    """Append the pairs that the file does not have; return their number."""
    new: list[PreferencePair] = []

    def build(data: bytes) -> bytes:
        there = [line.pair for line in read_preference_lines(data) if line.pair is not None]
        # By its content, too: a renaming changes the content of a pair, and not its id.
        known = {key for pair in there for key in (pair.id, hash_pair(pair))}
        new.extend(pair for pair in pairs if known.isdisjoint((pair.id, hash_pair(pair))))
        return encode_pairs(new)

    append_lines(layout.RAW_PREFERENCES, build)
    return len(new)
