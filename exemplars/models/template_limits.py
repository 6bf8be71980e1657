"""Limits of time and memory for chat templates: they are programs, and come with models of others."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NoReturn

MAX_SECONDS: Final = 2
"""The processor time of a rendering; usual templates take a thousandth of a second."""
MAX_BYTES: Final = 2**30
_MAX_WAIT: Final = 60
"""Seconds until a trial that takes no processor time is ended."""
_STATUS_MEMORY: Final = 3
_STATUS_TIME: Final = 4
_TOO_SLOW: Final = f"it runs for more than {MAX_SECONDS} s"
_TOO_LARGE: Final = "it needs more than 1 GiB of memory"


class TemplateLimitError(Exception):
    """A template exceeds a limit; the message says which."""


@contextlib.contextmanager
def limit_time() -> Iterator[None]:
    """Raise `TemplateLimitError` in this block after `MAX_SECONDS`; has no effect outside the main thread.

    A single operation, such as a power of a large number, is not interrupted: try a template first.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, MAX_SECONDS)
    try:
        yield
    except MemoryError:
        raise TemplateLimitError(_TOO_LARGE) from None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)


def try_within_limits(render: Callable[[], object]) -> str | None:
    """Run a function in a process of its own, and say which limit it exceeds; `None`: none.

    Its result, and its exceptions other than `MemoryError` and `TemplateLimitError`, are dropped.
    """
    is_open, keep_open = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(is_open)
        _run_limited(render)
    os.close(keep_open)
    if not select.select([is_open], [], [], _MAX_WAIT)[0]:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(is_open)
        return _TOO_SLOW
    os.close(is_open)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status >= 0:
        return {_STATUS_MEMORY: _TOO_LARGE, _STATUS_TIME: _TOO_SLOW}.get(status)
    return {
        -signal.SIGXCPU: _TOO_SLOW,
        -signal.SIGKILL: _TOO_LARGE,  # What the kernel does when memory runs out.
    }.get(status, "it makes Python crash")


def _stop(_signal: int, _frame: object) -> NoReturn:
    raise TemplateLimitError(_TOO_SLOW)


def _run_limited(render: Callable[[], object]) -> NoReturn:
    """Run a function with limits, and exit; the status says how it ended."""
    status = 0
    try:
        _set_limits()
        render()
    except MemoryError:
        status = _STATUS_MEMORY
    except TemplateLimitError as error:
        status = _STATUS_TIME if str(error) == _TOO_SLOW else _STATUS_MEMORY
    except BaseException:
        status = 0
    finally:
        os._exit(status)


def _set_limits() -> None:
    import resource

    for output in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), output)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS + 1))
    sizes = Path("/proc/self/statm")
    if sizes.exists():  # Other systems do not enforce the limit.
        used = int(sizes.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = used + MAX_BYTES
        resource.setrlimit(
            resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
