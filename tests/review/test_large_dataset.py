"""A dataset of 100,000 rows: what filters find, and how much memory the server needs.

`tests/benchmarks/review_page.py` measures how long they take.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.review.projects import write_large_project
from tests.review.serving import ProcessServer, ask

ROWS = 100_000
MAX_BYTES = 300e6
FILTERS: tuple[tuple[dict[str, str], int], ...] = (
    ({}, 100_001),
    ({"text": "WORD77 "}, 144),
    ({"skill": "skill_3"}, 2_500),
    ({"split": "train", "grounding": "verbatim", "text": "word1"}, 80_786),
    ({"system": "tagger", "answer": "wrong"}, 2_500),
    ({"reason": "value_not_found"}, 1),
    ({"page": "1999"}, 100_001),
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ProcessServer]:
    pytest.importorskip("uvicorn")
    write_large_project(tmp_path, ROWS)
    running = ProcessServer(tmp_path)
    yield running
    running.kill()


def test_filters_find_their_rows_and_the_server_needs_less_than_300_megabytes(server: ProcessServer) -> None:
    for query, expected in FILTERS:
        assert ask(server.address, "rows", **query)["total"] == expected, query
    for name in ("errors", "disagreement", "conflicts"):
        entries = ask(server.address, "queue", name=name)["entries"]
        assert ask(server.address, "row", id=entries[0]["row"], queue=name)["digest"]
        assert len(ask(server.address, "nearest", id=entries[0]["row"])) == 5
    assert peak_memory(server.process.pid) < MAX_BYTES


def peak_memory(process: int) -> int:
    """Return the most memory that a process has had, in bytes."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return int(psutil.Process(process).memory_info().rss)
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
