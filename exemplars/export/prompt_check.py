"""Whether a merged model's own template builds the prompts that training saw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError, quote_text
from exemplars.core.ids import SPLITS
from exemplars.core.names import check_name
from exemplars.core.tables import read_table, rows_from_table
from exemplars.models.base_models import BaseFiles, load_tokenizer
from exemplars.models.chat_templates import ChatTemplateError, apply_template, encode_text
from exemplars.models.rows import TRAINING_SCHEMA, Message, View

_WIDTH: Final = 30
"""The bytes before and after a difference that are shown."""


class PromptRow(msgspec.Struct, frozen=True):
    """The columns of a chat row that make its prompt."""

    id: str
    view: View
    messages: tuple[Message, ...]
    tools: str
    input_ids: tuple[int, ...]
    prompt_tokens: int


class Difference(NamedTuple):
    """The first difference between a prompt and that of training."""

    row: str
    byte: int
    """From 0, in the prompt as UTF-8; equal prompts may still have different tokens."""
    trained: str
    built: str
    """The texts around it."""


class Check(NamedTuple):
    """The result of a check."""

    folder: Path
    checked: int
    skipped: int
    """Rows of other views than `call`, whose questions are not those of use."""
    difference: Difference | None


def check_folder(recipe: str, folder: Path | None) -> Check:
    """Check the prompts of a merged folder against all chat rows of the project.

    folder: `None`: `merged` in the folder of the recipe's run. Raises `UserError` if it or the rows are missing.
    """
    merged = folder or layout.model(check_name(recipe, "recipe")) / "merged"
    if not (merged / "tokenizer_config.json").is_file():
        problem = Diagnostic(
            path=str(merged),
            code="not_merged",
            found="no tokenizer",
            expected="a folder that `exemplars merge` wrote",
            fix=f"run `exemplars merge {recipe}`",
        )
        raise UserError([problem])
    tokenizer = load_tokenizer(BaseFiles(merged.name, str(merged), {}, "", ""))
    rows = [row for split in SPLITS for row in _read_rows(layout.training(split))]
    return Check(merged, *compare_prompts(rows, tokenizer))


def _read_rows(path: Path) -> list[PromptRow]:
    return rows_from_table(read_table(path, TRAINING_SCHEMA, PromptRow.__struct_fields__), PromptRow)


def compare_prompts(rows: Iterable[PromptRow], tokenizer: Any) -> tuple[int, int, Difference | None]:
    """Compare the prompts that a tokenizer's template builds from messages and tools with those of rows.

    Returns the number of rows that were compared, up to the first difference; that of rows that were skipped; and the
    difference.
    """
    checked = skipped = 0
    for row in rows:
        if row.view != View.CALL:
            skipped += 1
            continue
        checked += 1
        if difference := _compare(row, tokenizer):
            return checked, skipped, difference
    return checked, skipped, None


def _compare(row: PromptRow, tokenizer: Any) -> Difference | None:
    """Compare a prompt with that of training: as other programs do, the tools are given and no system message."""
    tools = msgspec.json.decode(row.tools)
    turns = [msgspec.structs.asdict(message) for message in row.messages[:-1]]
    if tools and turns[0]["role"] == "system":
        del turns[0]
    trained = row.input_ids[: row.prompt_tokens]
    try:
        text = apply_template(tokenizer, turns, tools, add_generation_prompt=True)
    except ChatTemplateError as error:
        return Difference(row.id, 0, _decode(tokenizer, trained)[:_WIDTH], f"an error: {error}")
    if encode_text(tokenizer, text) == list(trained):
        return None
    return _locate(row.id, _decode(tokenizer, trained), text)


def _locate(row: str, trained: str, built: str) -> Difference:
    texts = trained.encode(), built.encode()
    pairs = enumerate(zip(*texts, strict=False))
    byte = next((place for place, (first, second) in pairs if first != second), min(map(len, texts)))
    shown = (data[max(0, byte - _WIDTH) : byte + _WIDTH].decode("utf-8", "replace") for data in texts)
    return Difference(row, byte, *shown)


def _decode(tokenizer: Any, tokens: Sequence[int]) -> str:
    return str(tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))


def describe_difference(check: Check, difference: Difference) -> Diagnostic:
    """Describe a difference as an error."""
    return Diagnostic(
        path=f"{check.folder}: {difference.row}",
        byte=difference.byte,
        code="other_prompt",
        found=quote_text(difference.built, 2 * _WIDTH),
        expected=f"{quote_text(difference.trained, 2 * _WIDTH)}, as training saw it",
        fix="run `exemplars merge` again, after `dvc repro train` if the rows have changed since the training",
    )
