"""A run with an `ask` that fails in ways that no server does."""

from __future__ import annotations

import asyncio

import pytest

from exemplars.dataset.catalog import Skill
from exemplars.dataset.generated_answers import Cell, GeneratedAnswer
from exemplars.generation.asking import Asker, Limits
from exemplars.generation.requests import AskSettings, ExampleRequest, build_request

REQUESTS = [
    build_request(Cell("sing"), Skill("sing"), (), AskSettings("m"), 1, number) for number in range(3)
]


class Memory:
    """Keeps what is noted."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.failed: list[str] = []

    def note_sent(self, request_id: str) -> None:
        self.sent.append(request_id)

    def note_failed(self, request_id: str) -> None:
        self.failed.append(request_id)

    def store(self, answer: GeneratedAnswer) -> None:
        raise OSError(28, "No space left on device", "answers.jsonl")


async def fail(request: ExampleRequest) -> GeneratedAnswer:
    raise ZeroDivisionError


async def answer(request: ExampleRequest) -> GeneratedAnswer:
    return GeneratedAnswer(request_id=request.id, time="", host="", model="m", cell=request.cell, tool={})


def test_an_error_of_the_program_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(Asker(REQUESTS, fail, Memory(), Limits(1)).run())


def test_an_answer_that_cannot_be_stored_ends_the_run_at_once() -> None:
    memory = Memory()
    with pytest.raises(OSError, match="No space left"):
        asyncio.run(Asker(REQUESTS, answer, memory, Limits(1)).run())
    assert memory.sent == [REQUESTS[0].id]


def test_requests_of_one_cell_differ_only_by_their_number() -> None:
    first, second, third = (request.body["messages"][1]["content"] for request in REQUESTS)
    assert len({request.id for request in REQUESTS}) == 3
    assert first.replace("set 1", "set 2") == second
    assert first.replace("set 1", "set 3") == third
