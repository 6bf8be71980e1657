"""The prompts of a merged model, compared with the tokens of chat rows that `render` made."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from exemplars.core.errors import UserError
from exemplars.export.chat_template import build_tools_template
from exemplars.export.prompt_check import Difference, PromptRow, check_folder, compare_prompts
from exemplars.models.prompt_style import PromptStyle
from exemplars.models.rows import View
from stages.render.training_rows import render_split
from tests.render.rows import SKILLS, argument, exemplar, params
from tests.tiny import make_tokenizer

pytest.importorskip("transformers")
ROWS = [
    exemplar("ring mum", "call", argument("contact", "mum", "mum"), group="a"),
    exemplar("zehn Minuten, größer", "set_timer", argument("minutes", "10"), group="b"),
    exemplar("thanks", None, mode="none", group="c"),
]


def list_rows(**changes: Any) -> list[PromptRow]:
    """List the chat rows that `render` makes of the rows."""
    rendered = render_split(ROWS, "test", SKILLS, make_tokenizer(), params(**changes), 400)
    names = PromptRow.__struct_fields__
    assert len(rendered.rows) >= len(ROWS)
    return [PromptRow(*(getattr(row, name) for name in names)) for row in rendered.rows]


def make_merged_tokenizer(style: PromptStyle) -> Any:
    tokenizer = make_tokenizer()
    tokenizer.chat_template = build_tools_template(tokenizer, style)
    return tokenizer


def make_style() -> PromptStyle:
    settings = params()
    return PromptStyle(settings.call_format, settings.tools, settings.instruction, settings.context_turns)


def test_the_prompts_of_all_rows_are_those_of_training() -> None:
    rows = list_rows()
    assert compare_prompts(rows, make_merged_tokenizer(make_style())) == (len(rows), 0, None)


def test_rows_of_other_views_are_not_compared() -> None:
    rows = list_rows(views=(View.CALL, View.SKILL))
    calls = sum(row.view == View.CALL for row in rows)
    assert compare_prompts(rows, make_merged_tokenizer(make_style())) == (calls, len(rows) - calls, None)


def test_the_first_difference_is_named_with_its_byte() -> None:
    changed = msgspec.structs.replace(make_style(), instruction="Cäll one.")
    (first, *_) = rows = list_rows()
    checked, _, difference = compare_prompts(rows, make_merged_tokenizer(changed))
    instruction = make_style().instruction
    assert difference is not None
    assert (checked, difference.row, difference.byte) == (1, first.id, len("<|system|>C"))
    assert difference.trained.startswith(f"<|system|>{instruction}"[:30])
    assert difference.built.startswith("<|system|>Cäll one.")


def test_a_template_that_refuses_the_turns_is_a_difference() -> None:
    tokenizer = make_tokenizer("{{ raise_exception('never') }}")
    row = list_rows()[0]
    trained = "<|system|>Call one.\nset_timer("
    assert compare_prompts([row], tokenizer)[2] == Difference(row.id, 0, trained, "an error: never")


def test_a_folder_that_was_not_merged_is_an_error(tmp_path: Any) -> None:
    with pytest.raises(UserError, match="found no tokenizer, expected a folder that `exemplars merge` wrote"):
        check_folder("lora", tmp_path)
