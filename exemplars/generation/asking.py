"""Asking: several requests at once, with retries, within a budget, until the plan is done or something stops it."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from exemplars.core.errors import UserError
from exemplars.dataset.generated_answers import GeneratedAnswer
from exemplars.generation.client import RetryLaterError
from exemplars.generation.requests import ExampleRequest

FIRST_WAIT: Final = 1.0
"""Seconds before the first retry, if the server does not say; it doubles each time."""
LONGEST_WAIT: Final = 60.0
MAX_FAILED_IN_A_ROW: Final = 3
LONGEST_RETRY_AFTER: Final = 600.0
"""Seconds: a server that asks to wait longer ends the run."""


class Limits(NamedTuple):
    """The bounds of a run."""

    concurrency: int = 4
    retries: int = 6
    max_requests: int | None = None
    """Of all requests that are sent, retries included."""
    max_tokens: int | None = None
    """Of prompts and answers; a request is sent only if its longest answer fits, too."""


class Tally(msgspec.Struct):
    """What a run did."""

    sent: int = 0
    """Requests, retries included."""
    answered: int = 0
    refused: int = 0
    """Answers that are refusals."""
    truncated: int = 0
    """Answers that were cut off at the limit of tokens."""
    failed: int = 0
    """Requests that the server did not answer; the same command sends them again."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    stopped_by: str = ""
    """What ended the run before its plan was done; empty: nothing."""

    def count(self, answer: GeneratedAnswer) -> None:
        """Count an answer."""
        self.answered += 1
        self.refused += answer.refusal is not None
        self.truncated += answer.finish_reason == "length"
        if answer.usage is not None:
            self.prompt_tokens += answer.usage.prompt_tokens
            self.completion_tokens += answer.usage.completion_tokens


class Store(Protocol):
    """Where answers go."""

    def note_sent(self, request_id: str) -> None: ...  # noqa: D102
    def note_failed(self, request_id: str) -> None: ...  # noqa: D102
    def store(self, answer: GeneratedAnswer) -> None: ...  # noqa: D102


Ask = Callable[[ExampleRequest], Awaitable[GeneratedAnswer]]


class Asker:
    """A run that asks. Its workers take requests from one queue, in the order of the plan."""

    def __init__(
        self,
        requests: Sequence[ExampleRequest],
        ask: Ask,
        store: Store,
        limits: Limits,
        show: Callable[[GeneratedAnswer], None] = lambda answer: None,
    ) -> None:
        """show: is called with each answer that is stored."""
        self.tally = Tally()
        self._queue = deque(requests)
        self._ask, self._store, self._limits, self._show = ask, store, limits, show
        self._reserved = 0
        """Tokens of the requests that are under way, at most."""
        self._spent = 0
        self._pause_until = 0.0
        self._reached = False
        self._failed_in_a_row = 0
        self._error: BaseException | None = None

    async def run(self) -> Tally:
        """Ask until the plan is done, the budget is used up, or the run is interrupted.

        The first Ctrl-C waits for the answers that are under way, the second does not. Raises `UserError` if the
        server answers no request, and `OSError` if an answer cannot be stored; what came before is stored.
        """
        workers = [asyncio.create_task(self._work()) for _ in range(self._limits.concurrency)]
        loop = asyncio.get_running_loop()

        def interrupt() -> None:
            if self.tally.stopped_by:
                for worker in workers:
                    worker.cancel()
            self._stop("Ctrl-C")

        loop.add_signal_handler(signal.SIGINT, interrupt)
        try:
            ended = await asyncio.gather(*workers, return_exceptions=True)
        finally:
            loop.remove_signal_handler(signal.SIGINT)
        for error in (self._error, *ended):
            if error is not None and not isinstance(error, asyncio.CancelledError):
                raise error
        return self.tally

    async def _work(self) -> None:
        while self._queue and not self.tally.stopped_by:
            request = self._queue.popleft()
            try:
                await self._ask_with_retries(request)
            except (UserError, OSError) as error:
                self._error = self._error or error
                self._stop("an error")

    async def _ask_with_retries(self, request: ExampleRequest) -> None:
        wait = FIRST_WAIT
        for attempt in range(self._limits.retries + 1):
            await self._wait_for_pause()
            if self.tally.stopped_by or not self._reserve(request):
                return
            try:
                self._keep(request, await self._send(request))
                return
            except RetryLaterError as error:
                if attempt == self._limits.retries:
                    self._give_up(error)
                    return
                self._plan_pause(error, wait)
                wait = min(2 * wait, LONGEST_WAIT)
            finally:
                self._reserved -= self._estimate(request)

    async def _send(self, request: ExampleRequest) -> GeneratedAnswer:
        self._store.note_sent(request.id)
        self.tally.sent += 1
        try:
            answer = await self._ask(request)
        except (UserError, RetryLaterError) as error:
            self._store.note_failed(request.id)
            if isinstance(error, RetryLaterError) and error.unreachable and not self._reached:
                raise error.unreachable from None
            raise
        self._reached = True
        return answer

    def _keep(self, request: ExampleRequest, answer: GeneratedAnswer) -> None:
        self._store.store(answer)
        self._failed_in_a_row = 0
        # A server that counts no tokens may have used all that it was allowed.
        self._spent += self._estimate(request) if answer.usage is None else answer.usage.total
        self.tally.count(answer)
        self._show(answer)

    def _give_up(self, error: RetryLaterError) -> None:
        """Count a request that was not answered; after several in a row, the others would not be answered either."""
        self.tally.failed += 1
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= MAX_FAILED_IN_A_ROW:
            self._stop(
                f"the server, which left {self._failed_in_a_row} requests in a row unanswered ({error})"
            )

    def _reserve(self, request: ExampleRequest) -> bool:
        """Take a request and its longest answer from the budget; return whether it has them."""
        tally, limits, tokens = self.tally, self._limits, self._estimate(request)
        if limits.max_requests is not None and tally.sent >= limits.max_requests:
            self._stop(f"the budget of {limits.max_requests:,} requests")
        elif limits.max_tokens is not None and self._spent + self._reserved + tokens > limits.max_tokens:
            self._stop(f"the budget of {limits.max_tokens:,} tokens")
        else:
            self._reserved += tokens
            return True
        return False

    def _estimate(self, request: ExampleRequest) -> int:
        return request.prompt_tokens + request.max_output_tokens

    def _plan_pause(self, error: RetryLaterError, wait: float) -> None:
        """Let all workers wait as long as the server asks, or up to a quarter less than `wait`."""
        if error.wait is not None and error.wait > LONGEST_RETRY_AFTER:
            self._stop(f"the server, which asks to wait {error.wait:,.0f} s")
            return
        pause = error.wait if error.wait is not None else wait * random.uniform(0.75, 1)
        self._pause_until = max(self._pause_until, asyncio.get_running_loop().time() + pause)

    async def _wait_for_pause(self) -> None:
        loop = asyncio.get_running_loop()
        while (left := self._pause_until - loop.time()) > 0 and not self.tally.stopped_by:
            await asyncio.sleep(min(left, 0.2))

    def _stop(self, cause: str) -> None:
        self.tally.stopped_by = self.tally.stopped_by or cause
