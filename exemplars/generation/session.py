"""Runs of `exemplars generate`: from a plan to stored answers. Imports openai."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing

from exemplars.dataset.generated_answers import GeneratedAnswer
from exemplars.generation.answer_files import AnswerStore, read_answers
from exemplars.generation.asking import Asker, Limits, Tally
from exemplars.generation.batches import Batch, Collected, collect_batches, submit_batch, write_batch
from exemplars.generation.client import ask, make_client
from exemplars.generation.planning import Plan
from exemplars.generation.project import GeneratedFolder
from exemplars.generation.requests import ExampleRequest
from exemplars.generation.servers import Server


def run_plan(
    plan: Plan,
    server: Server,
    folder: GeneratedFolder,
    limits: Limits,
    timeout: float,
    show: Callable[[GeneratedAnswer], None],
) -> Tally:
    """Send the requests of a plan, and store their answers. timeout: in seconds. Errors as in `Asker.run`."""

    async def run(store: AnswerStore) -> Tally:
        async with make_client(server, timeout) as client:

            async def send(request: ExampleRequest) -> GeneratedAnswer:
                return await ask(client, server, request)

            return await Asker(plan.requests, send, store, limits, show).run()

    with closing(AnswerStore(folder.path)) as store:
        return asyncio.run(run(store))


def submit_plan(plan: Plan, server: Server, folder: GeneratedFolder, timeout: float) -> Batch:
    """Write the requests of a plan as a batch, and submit it. Raises `UserError` if the server does not take it."""
    batch = write_batch(plan.requests, server)

    async def submit(store: AnswerStore) -> None:
        async with make_client(server, timeout) as client:
            await submit_batch(client, server, batch, store)

    with closing(AnswerStore(folder.path)) as store:
        asyncio.run(submit(store))
    return batch


def collect_answers(server: Server, folder: GeneratedFolder, timeout: float) -> Collected:
    """Store the answers of all batches that are done. Raises `UserError` if the server cannot be asked."""

    async def collect(store: AnswerStore) -> Collected:
        stored = {found.answer.request_id for found in read_answers(folder.path)}
        async with make_client(server, timeout) as client:
            return await collect_batches(client, server, store, stored)

    with closing(AnswerStore(folder.path)) as store:
        return asyncio.run(collect(store))
