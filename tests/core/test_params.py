from __future__ import annotations

from pathlib import Path

import pytest

from exemplars.core.errors import UserError
from exemplars.core.params import load_section
from stages.ingest.params import IngestParams, OnBadFile, SkillsSource
from stages.split.params import SplitParams

SPLIT = """\
split:
  ratios: {train: 0.8, validation: 0.1, test: 0.1}
  salt: x
  official: keep
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_section_is_read_into_its_type(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "ingest:\n  context_turns: 3\n  sources:\n    mine: {format: skills, path: a, license: MIT}\n",
    )
    params = load_section("ingest", IngestParams, path)
    assert params.context_turns == 3
    assert params.sources == {
        "mine": SkillsSource(path="a", license="MIT", on_bad_file=OnBadFile.FAIL, none_skill=None)
    }


def test_every_unknown_key_is_named_with_its_line_and_a_guess(tmp_path: Path) -> None:
    path = written(tmp_path, SPLIT.replace("salt:", "slat:").replace("test:", "tset:") + "vlaidate: {}\n")
    with pytest.raises(UserError, match=r"unknown key 'split\.slat'") as caught:
        load_section("split", SplitParams, path)
    found = [(one.line, one.found, one.fix) for one in caught.value.diagnostics]
    assert found == [
        (5, "unknown key 'vlaidate'", "did you mean 'validate'?"),
        (2, "unknown key 'split.ratios.tset'", "did you mean 'test'?"),
        (3, "unknown key 'split.slat'", "did you mean 'salt'?"),
    ]


def test_an_unknown_key_of_a_source_is_named_for_its_format(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "ingest:\n  context_turns: 3\n  sources:\n    a: {format: sgd, path: a, license: MIT, spilts: []}\n",
    )
    with pytest.raises(UserError, match=r"unknown key 'ingest.sources.a.spilts'.*did you mean 'splits'\?"):
        load_section("ingest", IngestParams, path)


def test_a_value_of_a_wrong_type_is_shown(tmp_path: Path) -> None:
    path = written(tmp_path, SPLIT.replace("salt: x", "salt: 7"))
    with pytest.raises(UserError, match=r"split\.salt is 7: expected `str`, got `int`") as caught:
        load_section("split", SplitParams, path)
    assert caught.value.diagnostics[0].line == 3


def test_ratios_that_do_not_sum_to_one_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, SPLIT.replace("0.8", "0.9"))
    with pytest.raises(UserError, match=r"sum to 1, got a sum of 1\.1"):
        load_section("split", SplitParams, path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "found no keys, expected the sections"),
        ("split: [", "not_yaml"),
        ("compile: {}", "found no section 'split'"),
    ],
)
def test_a_broken_file_is_told_in_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_section("split", SplitParams, written(tmp_path, text))


def test_a_missing_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="missing_file: found no such file"):
        load_section("split", SplitParams, tmp_path / "params.yaml")
