"""Lexicons: what is wrong with their files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from exemplars.core.errors import UserError
from stages.curate.lexicons import read_lexicons

LEXICONS = Path(__file__).parents[2] / "schemas/lexicons"


def test_a_slice_twice_in_one_lexicon_is_reported_with_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "lexicons"
    shutil.copytree(LEXICONS, folder)
    (folder / "ages.json").write_text('{"source": "s",\n"slices": {"old": ["old"],\n"old": ["aged"]}}')
    with pytest.raises(UserError, match=r"ages\.json:3:1: bad_lexicon: found the key 'old' twice in one"):
        read_lexicons(str(folder))
