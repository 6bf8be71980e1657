"""Requests in a batch, which a server answers within a day for less: written, submitted, collected. Imports openai.

A batch is a file of requests, and a file that says what they are for; both are in `.dvc/tmp/exemplars/batches` until
its answers are stored. Source: OpenAI's Batch API (at most 50,000 requests and 200 MB).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import openai
from openai.types.chat import ChatCompletion

from exemplars.core.digests import hash_content
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import read_json, write_bytes, write_json
from exemplars.dataset.generated_answers import Cell, GeneratedAnswer
from exemplars.generation.asking import Store, Tally
from exemplars.generation.client import read_completion, translate_status_error
from exemplars.generation.requests import ExampleRequest
from exemplars.generation.servers import Server

BATCHES: Final = Path(".dvc/tmp/exemplars/batches")
URL: Final = "/v1/chat/completions"
MAX_REQUESTS: Final = 50_000
MAX_BYTES: Final = 200 * 10**6
_NAME_KEY: Final = "exemplars_batch"
_DONE: Final = ("completed", "failed", "expired", "cancelled")


class Batch(msgspec.Struct, kw_only=True):
    """A batch: what was asked, where, and how far it is."""

    name: str
    base_url: str
    requests: dict[str, StoredRequest]
    """By their ids."""
    batch_id: str | None = None
    """The server's id; `None` before it is submitted."""
    status: str = "written"

    @property
    def requests_file(self) -> Path:
        """The file that is uploaded."""
        return BATCHES / f"{self.name}.requests.jsonl"


class StoredRequest(msgspec.Struct):
    """A request of a batch, without what the file of requests has."""

    cell: Cell
    examples: int
    prompt: list[dict[str, str]]
    tool: dict[str, Any]


class Collected(msgspec.Struct):
    """What `collect` found."""

    batches: dict[str, str]
    """The status of each batch."""
    tally: Tally


def write_batch(requests: Sequence[ExampleRequest], server: Server) -> Batch:
    """Write the files of a batch. Raises `UserError` if it is larger than a server takes."""
    lines = [
        msgspec.json.encode({"custom_id": request.id, "method": "POST", "url": URL, "body": request.body})
        for request in requests
    ]
    data = b"".join(line + b"\n" for line in lines)
    if len(lines) > MAX_REQUESTS or len(data) > MAX_BYTES:
        found = f"{len(lines):,} requests of {len(data):,} bytes"
        expected = f"at most {MAX_REQUESTS:,} requests and {MAX_BYTES:,} bytes"
        raise UserError([_problem("--batch", "large_batch", found, expected, "lower --count")])
    batch = Batch(
        name=hash_content(data)[:16],
        base_url=server.base_url,
        requests={
            request.id: StoredRequest(request.cell, request.examples, request.prompt, request.tool)
            for request in requests
        },
    )
    write_bytes(batch.requests_file, data)
    save_batch(batch)
    return batch


def save_batch(batch: Batch) -> None:
    """Write how far a batch is."""
    write_json(BATCHES / f"{batch.name}.json", batch)


def read_batches() -> list[Batch]:
    """Read the batches whose answers are not stored yet. Raises `UserError` if a file is damaged."""
    return [
        read_json(
            path,
            Batch,
            code="bad_batch",
            expected="a batch of this version",
            fix="remove it, and its file of requests",
        )
        for path in sorted(BATCHES.glob("*.json"))
    ]


async def submit_batch(client: openai.AsyncOpenAI, server: Server, batch: Batch, store: Store) -> None:
    """Upload a batch, and have the server begin.

    Its requests count as sent before, so that a killed run sends none twice; `collect` finds the batch by its name.
    Raises `UserError` if the server does not take it.
    """
    for request_id in batch.requests:
        store.note_sent(request_id)
    batch.status = "submitting"
    save_batch(batch)
    try:
        uploaded = await client.files.create(file=batch.requests_file, purpose="batch")
        created = await client.batches.create(
            input_file_id=uploaded.id,
            endpoint=URL,
            completion_window="24h",
            metadata={_NAME_KEY: batch.name},
        )
    except openai.APIError as error:
        for request_id in batch.requests:
            store.note_failed(request_id)
        batch.status = "written"
        save_batch(batch)
        raise _translate(error, server) from None
    batch.batch_id, batch.status = created.id, created.status
    save_batch(batch)


async def collect_batches(
    client: openai.AsyncOpenAI, server: Server, store: Store, stored: set[str]
) -> Collected:
    """Store the answers of all batches that are done, each once. stored: the ids of the answers that are there.

    Raises `UserError` if the server cannot be asked.
    """
    collected = Collected({}, Tally())
    try:
        for batch in read_batches():
            if batch.base_url != server.base_url or batch.status == "written":
                collected.batches[batch.name] = batch.status
                continue
            collected.batches[batch.name] = await _collect(
                client, server, batch, store, stored, collected.tally
            )
    except openai.APIError as error:
        raise _translate(error, server) from None
    return collected


async def _collect(
    client: openai.AsyncOpenAI, server: Server, batch: Batch, store: Store, stored: set[str], tally: Tally
) -> str:
    if batch.batch_id is None:
        batch.batch_id = await _find_submitted(client, batch.name)
        if batch.batch_id is None:
            return "lost before it was submitted"
    found = await client.batches.retrieve(batch.batch_id)
    if found.status not in _DONE:
        return str(found.status)
    answered = set()
    for file_id in filter(None, (found.output_file_id, found.error_file_id)):
        content = await client.files.content(file_id)
        for answer in read_output(content.read(), batch, server.host):
            answered.add(answer.request_id)
            if answer.request_id not in stored:
                store.store(answer)
                tally.count(answer)
    for request_id in batch.requests.keys() - answered:
        store.note_failed(request_id)
        tally.failed += 1
    (BATCHES / f"{batch.name}.json").unlink()
    batch.requests_file.unlink(missing_ok=True)
    return str(found.status)


async def _find_submitted(client: openai.AsyncOpenAI, name: str) -> str | None:
    """Find the server's id of a batch by its name: the run that submitted it was killed before it knew."""
    async for batch in client.batches.list(limit=100):
        if (batch.metadata or {}).get(_NAME_KEY) == name:
            return batch.id
    return None


def read_output(data: bytes, batch: Batch, host: str) -> Iterator[GeneratedAnswer]:
    """Read the answers in the output of a batch; requests that failed, or that are not of it, are left out."""
    bodies = _read_bodies(batch)
    for line in data.splitlines():
        try:
            item = msgspec.json.decode(line)
            request_id, response = item["custom_id"], item["response"]
            if response["status_code"] != 200 or request_id not in batch.requests:
                continue
            completion = ChatCompletion.construct(**response["body"])
            request = batch.requests[request_id]
            asked = ExampleRequest(
                request_id, request.cell, request.examples, bodies[request_id], request.prompt, request.tool
            )
            yield read_completion(asked, host, completion)
        except (msgspec.DecodeError, KeyError, TypeError, IndexError, AttributeError):
            continue


def _read_bodies(batch: Batch) -> dict[str, dict[str, Any]]:
    lines = map(msgspec.json.decode, batch.requests_file.read_bytes().splitlines())
    return {line["custom_id"]: line["body"] for line in lines}


def _translate(error: openai.APIError, server: Server) -> Exception:
    if isinstance(error, openai.APIStatusError) and error.status_code != 404:
        translated = translate_status_error(error, server, "batch")
        if isinstance(translated, UserError):
            return translated
    found = f"the server does not take or know the batch: {error.message}"
    fix = "run the same command again, or ask without --batch"
    return UserError([Diagnostic(path=server.host, code="no_batch", summary=found, fix=fix)])


def _problem(path: str, code: str, found: str, expected: str, fix: str) -> Diagnostic:
    return Diagnostic(path=path, code=code, found=found, expected=expected, fix=fix)
