from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.style.check_style import PROJECT, Names, check_functions, check_names, check_prose

CODE = PROJECT / "stages/example.py"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("What is told of a row.", "told"),
        ("The value stands in the text.", "stands"),
        ("The licence of the data.", "licence"),
        ("Normalise the text.", "Normalise"),
        ("This data set is small.", "data set"),
        ("Is made anew.", "anew"),
    ],
)
def test_a_word_to_avoid_is_found_with_its_line(text: str, word: str) -> None:
    [finding] = check_prose(Path("a.md"), 7, text)
    assert (finding.line, finding.rule) == (7, "word")
    assert finding.text.startswith(f"{word!r}: ")


@pytest.mark.parametrize(
    "text",
    ["A standard library.", "What `None` stands for.", "A dataset of labeled rows.", "Data settings."],
)
def test_plain_english_passes(text: str) -> None:
    assert list(check_prose(Path("a.md"), 1, text)) == []


def test_a_variable_called_one_is_found() -> None:
    tree = ast.parse("rows = [one for one in table]\n")
    assert [finding.rule for finding in check_names(CODE, tree)] == ["name"]


def test_a_function_needs_a_verb_and_its_docstring_an_imperative() -> None:
    tree = ast.parse(
        'def count_rows():\n    """Count the rows."""\n'
        'def rows():\n    """The rows."""\n'
        'def _rows():\n    """Private."""\n'
        'class Table:\n    @property\n    def size(self):\n        """Its size."""\n'
    )
    names = Names([], [])
    [finding] = check_functions(CODE, tree, names)
    assert finding.text == "rows begins with 'the', no verb"
    assert names == Names(["stages/example.py:1 count_rows"], ["stages/example.py:3 rows"])


def test_a_long_function_is_found() -> None:
    body = "".join(f"    x = {number}\n" for number in range(41))
    [finding] = check_functions(CODE, ast.parse(f"def _long():\n{body}"), Names([], []))
    assert finding.text == "_long has 42 lines, at most 40"
