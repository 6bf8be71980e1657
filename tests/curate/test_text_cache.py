from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from stages.curate.facts import FactParams, collect_facts
from stages.curate.params import CurateParams, LabelNoiseParams, QualityParams
from stages.curate.privacy.findings import Finding
from stages.curate.text_cache import (
    CacheCollector,
    Recall,
    Results,
    TextCache,
    join_caches,
    join_results,
    make_cache_key,
    read_text_cache,
    write_text_cache,
)
from tests.curate.rows import LEXICONS, Result, curate_exemplars, make_row

PARAMS = CurateParams(label_noise=LabelNoiseParams(enabled=False))
TEXTS = (
    "call Maria Kowalski at 555 0142 55",
    "call mum and the",
    "rufe bitte heute Abend meine Mutter zu Hause an",
)

ROWS = [make_row(str(number), text) for number, text in enumerate(TEXTS)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the cache is, in the folder of a project that uses DVC."""
    (tmp_path / ".dvc" / "tmp").mkdir(parents=True)
    return tmp_path / ".dvc" / "tmp" / "exemplars" / "curate.cache"


def run_with(cache: TextCache | None) -> Result:
    return curate_exemplars(ROWS, PARAMS, texts=cache)


def collect_cache(known: TextCache) -> TextCache:
    return collect_facts(FactParams(PARAMS, LEXICONS.names, known), ROWS).cache


def write_results(path: Path) -> bytes:
    write_text_cache(collect_cache(TextCache("key")), path)
    return path.read_bytes()


def test_a_result_is_computed_once_and_not_again_by_a_later_run() -> None:
    asked: list[str] = []

    def find_vowels(text: str) -> list[str]:
        asked.append(text)
        return [letter for letter in text if letter in "aeiou"]

    first = Recall(find_vowels, Results(), [])
    assert list(map(first, ["call", "call", "hm", "hm"])) == [["a"], ["a"], [], []]
    second = Recall(find_vowels, first.list_used(), [])
    assert list(map(second, ["call", "stop it", "hm"])) == [["a"], ["o", "i"], []]
    assert asked == ["call", "hm", "stop it"]
    assert len(second.list_used()) == 3


def test_results_of_several_shards_are_joined_each_text_once() -> None:
    first, second = (Recall(list, Results(), []) for _ in range(2))
    assert [first(""), first("a"), second(""), second("b")] == [[], ["a"], [], ["b"]]
    assert len(join_results([first.list_used(), second.list_used()])) == 3
    cache = collect_cache(TextCache("key"))
    assert join_caches("key", [cache, cache]) == cache


def test_the_second_run_finds_what_the_first_one_found_and_computes_nothing(path: Path) -> None:
    write_results(path)
    cache = read_text_cache("key", path)

    def compute(text: str) -> list[Finding]:
        raise AssertionError(text)

    recall = Recall(compute, cache.findings, [])
    assert [len(recall(text)) for text in TEXTS] == [1, 0, 0]
    assert collect_cache(cache) == cache
    assert run_with(cache) == run_with(None)


def test_a_cache_that_says_something_else_would_be_believed() -> None:
    """So the tests below would see a damaged cache that is used."""
    found = collect_cache(TextCache("key")).findings.found
    cache = TextCache("key", Results(b"", {digest: [] for digest in found}))
    assert run_with(cache) != run_with(None)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: b"", lambda data: data[:40] + b"x" + data[41:]]
)
def test_a_damaged_cache_changes_nothing(path: Path, damage: object) -> None:
    assert callable(damage)
    path.write_bytes(damage(write_results(path)))
    cache = read_text_cache("key", path)
    assert cache == TextCache("key")
    assert run_with(cache) == run_with(None)


def test_a_cache_of_other_code_or_parameters_is_not_used(path: Path) -> None:
    write_results(path)
    assert read_text_cache("other", path) == TextCache("other")
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
    assert run_with(read_text_cache("key", path)) == run_with(None)
    write_text_cache(collect_cache(TextCache("key")), path)
    assert path.is_dir()
    assert list(path.parent.glob("*.partial")) == list(path.parent.glob(".*.partial")) == []


def test_without_dvc_nothing_is_written(tmp_path: Path) -> None:
    write_text_cache(TextCache("key"), tmp_path / ".dvc" / "tmp" / "exemplars" / "curate.cache")
    assert list(tmp_path.iterdir()) == []


def test_results_of_more_texts_than_the_bound_are_forgotten_and_not_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = collect_cache(TextCache("key"))
    collector = CacheCollector("key")
    collector.add(part)
    assert collector.join() == part
    monkeypatch.setattr("stages.curate.text_cache.MAX_RESULTS", 2 * len(part.findings) - 1)
    collector.add(part)
    collector.add(part)
    assert collector.join() is None
    write_text_cache(None, path)
    assert not path.exists()


def test_the_cache_has_no_text(path: Path) -> None:
    data = write_results(path)
    assert b"Maria" not in data
    assert b"555" not in data
