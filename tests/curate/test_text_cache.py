from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from stages.curate.curation import Curated, curate
from stages.curate.inputs import CurateInputs
from stages.curate.params import CurateParams, LabelNoiseParams, QualityFlag, QualityParams
from stages.curate.privacy.findings import Finding, PersonalDataKind
from stages.curate.text_cache import (
    TextCache,
    TextResults,
    make_cache_key,
    read_text_cache,
    write_text_cache,
)
from tests.curate.rows import LEXICONS, make_row

PARAMS = CurateParams(label_noise=LabelNoiseParams(enabled=False))
TEXTS = (
    "call Maria Kowalski at 555 0142 55",
    "call mum and the",
    "rufe bitte heute Abend meine Mutter zu Hause an",
)
FOUND = [Finding(5, 10, PersonalDataKind.PERSON, 0.7)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the cache is, in the folder of a project that uses DVC."""
    (tmp_path / ".dvc" / "tmp").mkdir(parents=True)
    return tmp_path / ".dvc" / "tmp" / "exemplars" / "curate.cache"


def run_with(cache: TextCache | None) -> Curated:
    rows = [make_row(str(number), text) for number, text in enumerate(TEXTS)]
    return curate(CurateInputs(rows, (), LEXICONS, texts=cache), PARAMS, None, lambda _: None)


def write_results(path: Path) -> bytes:
    cache = TextCache("key")
    run_with(cache)
    write_text_cache(cache, path)
    return path.read_bytes()


def test_a_result_is_computed_once_and_not_again_by_a_later_run() -> None:
    asked: list[str] = []

    def measure(text: str) -> int:
        asked.append(text)
        return len(text)

    first = TextResults[int]()
    assert list(map(first.remember(measure), ["call", "call", "play"])) == [4, 4, 4]
    second = TextResults(first.used)
    assert list(map(second.remember(measure), ["call", "stop it"])) == [4, 7]
    assert asked == ["call", "play", "stop it"]
    assert len(second.used) == 2


def test_the_second_run_finds_what_the_first_one_found_and_computes_nothing(path: Path) -> None:
    write_results(path)
    cache = read_text_cache("key", path)

    def compute(text: str) -> list[Finding]:
        raise AssertionError(text)

    assert [len(cache.findings.remember(compute)(text)) for text in TEXTS] == [1, 0, 0]
    assert run_with(read_text_cache("key", path)) == run_with(None)


def test_a_cache_that_says_something_else_would_be_believed(path: Path) -> None:
    """So the tests below would see a damaged cache that is used."""
    cache = TextCache("key")
    for text in TEXTS:
        cache.findings.remember(lambda _: FOUND)(text)
        cache.flags.remember(lambda _: (QualityFlag.MARKUP,))(text)
    write_text_cache(cache, path)
    assert run_with(read_text_cache("key", path)) != run_with(None)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: b"", lambda data: data[:40] + b"x" + data[41:]]
)
def test_a_damaged_cache_changes_nothing(path: Path, damage: object) -> None:
    assert callable(damage)
    path.write_bytes(damage(write_results(path)))
    cache = read_text_cache("key", path)
    assert run_with(cache) == run_with(None)
    write_text_cache(cache, path)
    assert path.read_bytes() == write_results(path)


def test_a_cache_of_other_code_or_parameters_is_not_used(path: Path) -> None:
    write_results(path)
    cache = read_text_cache("other", path)
    assert cache.findings.remember(lambda _: FOUND)(TEXTS[0]) == FOUND
    lexicons = LEXICONS._replace(names=msgspec.structs.replace(LEXICONS.names, female=("Xanthippe",)))
    keys = {
        make_cache_key(PARAMS, LEXICONS),
        make_cache_key(CurateParams(quality=QualityParams(max_tokens=9)), LEXICONS),
        make_cache_key(PARAMS, lexicons),
    }
    assert len(keys) == 3


def test_a_deleted_cache_a_folder_in_its_place_or_one_that_cannot_be_written_changes_nothing(
    path: Path,
) -> None:
    assert run_with(read_text_cache("key", path)) == run_with(None)
    path.mkdir(parents=True)
    cache = read_text_cache("key", path)
    assert run_with(cache) == run_with(None)
    write_text_cache(cache, path)
    assert path.is_dir()
    assert list(path.parent.glob("*.partial")) == list(path.parent.glob(".*.partial")) == []


def test_without_dvc_nothing_is_written(tmp_path: Path) -> None:
    write_text_cache(TextCache("key"), tmp_path / ".dvc" / "tmp" / "exemplars" / "curate.cache")
    assert list(tmp_path.iterdir()) == []


def test_results_of_more_texts_than_the_bound_are_not_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stages.curate.text_cache.MAX_RESULTS", 2)
    cache = TextCache("key")
    run_with(cache)
    write_text_cache(cache, path)
    assert not path.exists()


def test_the_cache_has_no_text(path: Path) -> None:
    data = write_results(path)
    assert b"Maria" not in data
    assert b"555" not in data
