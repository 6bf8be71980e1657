"""Decisions that reviewers append: none is lost, none is there twice, whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from exemplars.core.errors import UserError
from exemplars.core.files import write_bytes
from exemplars.core.reviews import Decision, Review, encode_review, parse_reviews
from exemplars.review.decision_log import DecisionLog
from tests.conftest import PROJECT

CLIENT = """
import sys
from pathlib import Path
from exemplars.review.decision_log import DecisionLog
from tests.review.test_decision_log import make_review
log = DecisionLog(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    log.append(make_review(number, sys.argv[4]))
    print(number, flush=True)
"""


def make_review(number: int, reviewer: str = "ada") -> Review:
    return Review(
        decision_id=f"{number:032x}",
        row=f"s:a.md#{number}",
        digest="d" * 64,
        decision=Decision.APPROVED,
        reviewer=reviewer,
        time="2026-11-27T20:00:00Z",
        note="😀 naïve",
    )


def start_client(path: Path, first: int, end: int, reviewer: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CLIENT, str(path), str(first), str(end), reviewer]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)


def list_numbers(reviews: Sequence[Review]) -> list[int]:
    return [int(review.decision_id, 16) for review in reviews]


def test_two_clients_lose_none_of_2000_decisions_and_double_none(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    clients = [start_client(path, 0, 1000, "ada"), start_client(path, 1000, 2000, "bob")]
    printed = [client.communicate()[0].split() for client in clients]
    assert [client.returncode for client in clients] == [0, 0]
    assert [len(lines) for lines in printed] == [1000, 1000]
    assert sorted(list_numbers(parse_reviews(path.read_bytes()))) == list(range(2000))


def test_what_a_killed_client_reported_as_saved_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    for start in range(0, 2000, 1000):
        client = start_client(path, start, start + 1000, "ada")
        assert client.stdout is not None
        reported = [client.stdout.readline() for _ in range(start // 100 + 3)]
        client.kill()
        reported += client.communicate()[0].splitlines(keepends=True)
        saved = set(list_numbers(DecisionLog(path).read()))
        assert {int(line) for line in reported if line.endswith("\n")} <= saved


def test_threads_share_a_log(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "reviews.jsonl")
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(log.append, [make_review(number // 2) for number in range(100)]))
    assert sum(added) == 50
    assert sorted(list_numbers(log.read())) == list(range(50))


def test_a_line_cut_off_anywhere_costs_no_saved_decision(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    saved, cut, following = (encode_review(make_review(number)) for number in range(3))
    for length in range(1, len(cut) - 1, 3):
        path.write_bytes(b"\n" + saved + cut[:length])
        assert DecisionLog(path).append(make_review(2))
        assert path.read_bytes() == b"\n" + saved + following


def test_a_whole_line_without_its_line_break_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    path.write_bytes(encode_review(make_review(0)).rstrip())
    assert DecisionLog(path).append(make_review(1))
    assert path.read_bytes() == encode_review(make_review(0)) + encode_review(make_review(1))


def test_a_repeated_request_adds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    assert DecisionLog(path).append(make_review(0))
    assert not DecisionLog(path).append(make_review(0))
    assert path.read_bytes() == encode_review(make_review(0))


def test_an_id_of_another_decision_is_refused(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "reviews.jsonl")
    log.append(make_review(0))
    with pytest.raises(
        UserError, match=r"reviews.jsonl:2: malformed_review: found the decision_id 0{32} a second"
    ):
        log.append(make_review(0, "bob"))
    assert log.append(make_review(1))
    assert list_numbers(log.read()) == [0, 1]


@pytest.mark.parametrize("line", [b"hello\n", b"hello", b'{"version": 2}\n'])
def test_a_broken_line_is_reported_and_left_as_it_is(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "reviews.jsonl"
    path.write_bytes(line)
    log = DecisionLog(path)
    for _ in range(2):
        with pytest.raises(UserError, match=r"reviews.jsonl:1: (malformed_review|other_version): found "):
            log.append(make_review(0))
    assert path.read_bytes().rstrip() == line.rstrip()


def test_a_file_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    log = DecisionLog(path)
    log.append(make_review(0))
    write_bytes(path, encode_review(make_review(7)))
    log.append(make_review(1))
    assert list_numbers(log.read()) == [7, 1]


def test_after_a_failed_write_the_file_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "reviews.jsonl"
    log = DecisionLog(path)
    log.append(make_review(0))
    with monkeypatch.context() as context:
        context.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OSError, match="No space left"):
            log.append(make_review(1))
    assert path.read_bytes() == encode_review(make_review(0))
    assert log.append(make_review(1))
    assert list_numbers(log.read()) == [0, 1]
