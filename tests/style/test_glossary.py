from __future__ import annotations

import pytest

from exemplars.core.ids import SPLITS
from exemplars.core.records import Grounding, Mode
from exemplars.models.rows import View
from tests.conftest import PROJECT

ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (PROJECT / "docs/glossary.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| ---")
]
WORDS = {row[0]: row[1] for row in ROWS}


def test_words_are_in_alphabetical_order() -> None:
    headings = [number for number, row in enumerate(ROWS) if row[1] in ("meaning", "the value")]
    words = [row[0].casefold() for row in ROWS[headings[0] + 1 : headings[1]]]
    assert words == sorted(words)


@pytest.mark.parametrize(
    ("word", "names"), [("grounding", Grounding), ("mode", Mode), ("split", SPLITS), ("view", View)]
)
def test_the_values_of_enumerations_are_those_of_the_code(word: str, names: list[str]) -> None:
    quoted = WORDS[word].split("`")[1::2]
    assert sorted(quoted) == sorted(map(str, names))


def test_every_kind_of_grounding_is_explained() -> None:
    explained = {word.strip("`") for word in WORDS if word.startswith("`")}
    assert explained == set(Grounding)
