"""Shards in processes: order, killed workers, bounds."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.workers import map_shards
from tests.core.shards import CountedShards, double_or_die


def count_started(folder: Path, number: int) -> int:
    (folder / str(number)).touch()
    return number


def refuse_odd(number: int) -> int:
    if number % 2:
        problem = Diagnostic(path=f"{number}.json", code="odd", found="odd", expected="even", fix="add 1")
        raise UserError([problem])
    return number


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_results_come_in_the_order_of_the_shards(workers: int) -> None:
    assert list(map_shards(abs, [-3, 1, -2, 5, 4], workers, "shards")) == [3, 1, 2, 5, 4]


@pytest.mark.parametrize("deaths", [1, 2])
def test_a_shard_whose_worker_is_killed_is_tried_again(tmp_path: Path, deaths: int) -> None:
    work = partial(double_or_die, tmp_path, deaths)
    assert list(map_shards(work, range(8), 2, "shards")) == [0, 2, 4, 6, 8, 10, 12, 14]
    assert len(list(tmp_path.iterdir())) == deaths


def test_a_shard_that_kills_every_worker_is_named_and_no_other(tmp_path: Path) -> None:
    work = partial(double_or_die, tmp_path, 9)
    results = map_shards(work, range(8), 2, "shards", lambda number: f"part-{number}.json")
    with pytest.raises(
        UserError,
        match=r"^part-3\.json: worker_died: its worker process was killed 3 times; free some memory",
    ):
        list(results)


def test_no_more_results_wait_in_memory_than_the_workers_compute_ahead(tmp_path: Path) -> None:
    results = map_shards(partial(count_started, tmp_path), range(100), 2, "shards")
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
    assert len(list(tmp_path.iterdir())) <= 5


def test_shards_are_made_when_they_are_submitted() -> None:
    shards = CountedShards(20)
    results = map_shards(abs, shards, 2, "shards")
    assert next(results) == 0
    assert shards.made == [0, 1, 2, 3]
    assert list(results) == list(range(1, 20))
    assert shards.made == list(range(20))


def test_an_error_of_a_shard_reaches_the_user() -> None:
    with pytest.raises(UserError, match=r"^1\.json: odd: found odd, expected even; add 1$"):
        list(map_shards(refuse_odd, [0, 1, 2], 2, "shards"))


def test_an_unknown_executor_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXEMPLARS_EXECUTOR", "slurm")
    with pytest.raises(
        UserError,
        match=r"^EXEMPLARS_EXECUTOR: unknown_executor: found the executor 'slurm', expected local or",
    ):
        list(map_shards(abs, [1], 2, "shards"))
