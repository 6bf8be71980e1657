"""What a base model must have for rows to be rendered for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exemplars.core.errors import UserError
from exemplars.models.base_models import BaseFiles, FolderBase, find_base, load_tokenizer
from stages.render.base import checked_tokenizer, row_limit
from stages.render.training_rows import check_supervised, rendered_split
from tests.render.rows import SKILLS, exemplar, params
from tests.tiny import save_tiny

pytest.importorskip("torch")


@pytest.fixture
def base(tmp_path: Path) -> BaseFiles:
    return find_base(FolderBase(path=str(save_tiny(tmp_path)), license="MIT"))


def test_a_tokenizer_without_an_end_token_is_told(base: BaseFiles) -> None:
    tokenizer: Any = load_tokenizer(base)
    assert checked_tokenizer(tokenizer, base) is tokenizer
    tokenizer.eos_token = None
    with pytest.raises(UserError, match="found a tokenizer without an end token, expected eos_token"):
        checked_tokenizer(tokenizer, base)


def test_a_template_that_writes_no_chat_is_told(base: BaseFiles) -> None:
    tokenizer: Any = load_tokenizer(base)
    tokenizer.chat_template = "{{ raise_exception('not a chat model') }}"
    with pytest.raises(UserError, match="found a chat template that says: not a chat model, expected"):
        checked_tokenizer(tokenizer, base)


def test_a_damaged_tokenizer_is_told(base: BaseFiles) -> None:
    (Path(base.folder) / "tokenizer.json").write_text("{", encoding="ascii")
    with pytest.raises(UserError, match=r"base_model: found .*, expected a model and a tokenizer that"):
        load_tokenizer(base)


@pytest.mark.parametrize(("wanted", "limit"), [(400, 400), (512, 512), (513, 512)])
def test_no_row_is_longer_than_the_model_can_read(base: BaseFiles, wanted: int, limit: int) -> None:
    assert row_limit(base, wanted) == limit


def test_a_view_in_which_nothing_is_supervised_stops_the_stage(base: BaseFiles) -> None:
    rows = [exemplar("ring mum"), exemplar("ring dad")]
    chosen = params()
    split = rendered_split(rows, SKILLS, load_tokenizer(base), chosen, 400, train=True)
    check_supervised({"train": split}, chosen)
    cut = rendered_split(rows, SKILLS, load_tokenizer(base), chosen, 5, train=True)
    with pytest.raises(
        UserError, match=r"views: call: nothing_supervised: found no train row .*; too_long: 2, expected"
    ):
        check_supervised({"train": cut}, chosen)
