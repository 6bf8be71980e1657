"""The tagger in a process of its own, as `exemplars review` asks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from exemplars.review.live_tagger import LiveTagger
from tests.conftest import PROJECT
from tests.review.projects import make_row


@pytest.fixture
def tagger(in_project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveTagger]:
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    running = LiveTagger()
    yield running
    running.close()


def test_a_row_is_answered_with_its_confidence_by_a_process_that_is_started_when_it_has_ended(
    tagger: LiveTagger,
) -> None:
    timer = make_row(1, "set a timer for ten minutes")
    answer = tagger.answer(timer)
    assert (answer["system"], answer["text"]) == ("tagger", "set_timer(minutes=10)")
    assert 0 < answer["confidence"] <= 1
    assert tagger.answer(make_row(2, "no thanks"))["text"] == "no call"
    assert "found an utterance of" in tagger.answer(make_row(3, "ring mum " * 400))["problem"]
    assert tagger._process is not None
    tagger._process.kill()
    tagger._process.wait()
    assert tagger.answer(timer) == {"problem": "the tagger has ended before it answered"}
    assert tagger.answer(timer) == answer
