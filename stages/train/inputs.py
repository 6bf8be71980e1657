"""What training reads: chat rows, and the raw texts of the recipe `continued`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from exemplars.core import layout
from exemplars.core.code_version import check_dependency
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import list_folder, read_file
from exemplars.core.ids import SplitName
from exemplars.core.tables import read_table, rows_from_table
from exemplars.models.render_manifest import RenderManifest, get_attached_manifest
from exemplars.models.rows import TRAINING_SCHEMA
from stages.train.recipe_params import Continued, Recipe
from stages.train.rows import PromptRow


class ChatInput(NamedTuple):
    """What a language model is trained from."""

    rendered: RenderManifest
    splits: Mapping[str, Sequence[PromptRow]]
    texts: Mapping[str, str]


def read_chat_input(recipe: Recipe) -> ChatInput:
    """Read the chat rows of `train` and `validation`, what they were rendered for, and the texts of `continued`.

    Raises `UserError` if a file is missing or unreadable.
    """
    train, rendered = read_prompts("train")
    splits = {"train": train, "validation": read_prompts("validation")[0]}
    texts = read_texts(recipe.text) if isinstance(recipe, Continued) else {}
    return ChatInput(rendered, splits, texts)


def read_prompts(split: SplitName) -> tuple[list[PromptRow], RenderManifest]:
    """Read the chat rows of a split, only the columns that training needs, and what they were rendered for.

    Raises `UserError` if the table is missing or unreadable.
    """
    path = layout.training(split)
    table = read_table(path, TRAINING_SCHEMA, PromptRow.__struct_fields__)
    return rows_from_table(table, PromptRow), get_attached_manifest(table, path)


def read_texts(folder: str) -> dict[str, str]:
    """Read the `*.txt` and `*.md` files of a folder, by their paths in it.

    Raises `UserError` if there is no such file, if DVC does not depend on the folder, or with all that cannot be read.
    """
    check_dependency("train", folder)
    entries = list_folder(Path(folder))
    files = [entry for entry in entries if entry.problem or entry.path.suffix.casefold() in (".txt", ".md")]
    if not files:
        fix = "put *.txt or *.md files there, or correct train.recipes"
        raise UserError([_build_problem(folder, "no text", "at least one file", fix)])
    texts, problems = {}, [entry.problem for entry in files if entry.problem is not None]
    for path in (entry.path for entry in files if entry.problem is None):
        try:
            texts[path.relative_to(folder).as_posix()] = read_file(path).decode("utf-8")
        except UserError as error:
            problems += error.diagnostics
        except UnicodeDecodeError as error:
            problems.append(
                _build_problem(str(path), f"byte {error.start} that is not UTF-8", "UTF-8", "convert it")
            )
    if problems:
        raise UserError(problems)
    return texts


def _build_problem(path: str, found: str, expected: str, fix: str) -> Diagnostic:
    return Diagnostic(path=path, code="training_input", found=found, expected=expected, fix=fix)
