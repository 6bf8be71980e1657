"""What a base model must have for rows to be rendered for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from exemplars.core.errors import UserError
from exemplars.models.base_models import BaseFiles, FolderBase, find_base, load_tokenizer
from stages.render.base import check_tokenizer, limit_tokens
from stages.render.training_rows import check_supervision, render_split
from tests.render.rows import PARAMS, SKILLS, exemplar
from tests.tiny import save_tiny

pytest.importorskip("torch")


@pytest.fixture
def base(tmp_path: Path) -> BaseFiles:
    return find_base(FolderBase(path=str(save_tiny(tmp_path)), license="MIT"))


def test_a_tokenizer_without_an_end_token_is_rejected(base: BaseFiles) -> None:
    tokenizer: Any = load_tokenizer(base)
    check_tokenizer(tokenizer, base)
    tokenizer.eos_token = None
    with pytest.raises(
        UserError, match="found a tokenizer without an end-of-sequence token, expected eos_token"
    ):
        check_tokenizer(tokenizer, base)


def test_a_template_that_accepts_no_user_message_is_rejected(base: BaseFiles) -> None:
    tokenizer: Any = load_tokenizer(base)
    tokenizer.chat_template = "{{ raise_exception('not a chat model') }}"
    with pytest.raises(
        UserError, match="the chat template rejects a user message: not a chat model; correct"
    ):
        check_tokenizer(tokenizer, base)


def test_a_damaged_tokenizer_is_rejected(base: BaseFiles) -> None:
    (Path(base.folder) / "tokenizer.json").write_text("{", encoding="ascii")
    with pytest.raises(UserError, match=r"base_model: found .*, expected a model and a tokenizer that"):
        load_tokenizer(base)


@pytest.mark.parametrize(("wanted", "limit"), [(400, 400), (512, 512), (513, 512)])
def test_no_row_is_longer_than_the_model_can_read(base: BaseFiles, wanted: int, limit: int) -> None:
    assert limit_tokens(base, wanted) == limit


def test_a_view_in_which_nothing_is_supervised_stops_the_stage(base: BaseFiles) -> None:
    rows = [exemplar("ring mum"), exemplar("ring dad")]
    rendered = render_split(rows, "train", SKILLS, load_tokenizer(base), PARAMS, 400)
    check_supervision({"train": rendered}, PARAMS)
    too_long = render_split(rows, "train", SKILLS, load_tokenizer(base), PARAMS, 5)
    message = (
        r"render\.views: call: nothing_supervised: found no train row that passes the prompt checks "
        r"\(too_long: 2\), expected at least one row to train on; see the reasons in "
        r"data/training/rejections\.parquet, or remove the view"
    )
    with pytest.raises(UserError, match=message):
        check_supervision({"train": too_long}, PARAMS)


def test_an_empty_ledger_is_not_named_as_the_place_of_reasons(base: BaseFiles) -> None:
    tokenizer = load_tokenizer(base)
    empty = render_split([], "train", SKILLS, tokenizer, PARAMS, 400)
    message = (
        r"found an empty train split, expected at least one row to train on; add examples, or raise the share of "
        r"train in split\.ratios$"
    )
    with pytest.raises(UserError, match=message):
        check_supervision({"train": empty}, PARAMS)
    rendered = render_split([exemplar("ring mum")], "train", SKILLS, tokenizer, PARAMS, 400)
    views = msgspec.structs.replace(PARAMS, views=("call", "slot"))
    with pytest.raises(
        UserError,
        match=r"render\.views: slot: .*no prompt of this view for any of the 1 train rows, expected at",
    ):
        check_supervision({"train": rendered}, views)
