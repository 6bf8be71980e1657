"""Attack all readers and parameters: no traceback, no hang, no memory without bound, no row without an account.

Run it: `make attack`, or `python tests/benchmarks/bad_inputs.py [PART OF A NAME]`. Every case runs as processes in a
folder of its own, with limits of time and memory. A command must succeed, or fail with a sentence that names the
place; and where it succeeds, every record and every unreadable file has a row among the records or in the ledger.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import runpy
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple

PROJECT: Final = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT))

from tests.benchmarks.bad_chat_cases import list_chat_cases  # noqa: E402
from tests.benchmarks.bad_input_cases import INGEST, Case, list_cases  # noqa: E402

MAX_SECONDS: Final = 10
"""Processor time of a process, or time that it waits for something that never comes."""
MAX_WALL_SECONDS: Final = 60
MAX_BYTES: Final = 1_500_000_000
MIN_CASES: Final = 2_000
MODULES: Final = ("exemplars.cli.main", "stages.ingest.__main__", "stages.compile.__main__")
"""What commands import: once for all of them."""
_CASES: Final[list[Case]] = []
FAULTS: Final = ("traceback", "hang", "memory", "no account")


class Run(NamedTuple):
    """What a process did."""

    status: int
    output: str
    seconds: float
    bytes: int


def main() -> int:
    """Run all cases, or those whose name contains the argument; print the counts; return 1 if there is a fault."""
    part = sys.argv[1] if sys.argv[1:] else ""
    cases = [case for case in (*list_cases(), *list_chat_cases()) if part in case.name]
    for module in MODULES:
        import_module(module)
    counts: Counter[str] = Counter()
    _CASES.extend(cases)  # The workers are forked: they inherit the cases, which cannot be pickled.
    with multiprocessing.get_context("fork").Pool(len(os.sched_getaffinity(0))) as pool:
        for case, faults in zip(cases, pool.imap(_run_case, range(len(cases))), strict=True):
            for fault in faults:
                print(f"{case.name!a}: {fault}", flush=True)
                counts[fault.partition(":")[0]] += 1
    print(f"{len(cases)} bad inputs")
    for fault in FAULTS:
        print(f"{counts[fault]:5} {fault}")
    return 1 if counts or (not part and len(cases) < MIN_CASES) else 0


def _run_case(index: int) -> list[str]:
    """Run the commands of a case; return its faults."""
    case = _CASES[index]
    with tempfile.TemporaryDirectory(prefix="bad-input-", ignore_cleanup_errors=True) as name:
        root = Path(name) / "a" / "b"
        root.mkdir(parents=True)
        case.write(root)
        before = set(_list_names(Path(name)))
        faults: list[str] = []
        for command in case.commands:
            run = _run(root, command, case)
            faults += _find_faults(run, command, case, root)
            if run.status != 0:
                break
        if any("evil" in path for path in set(_list_names(Path(name))) - before):
            faults.append("no account: something was written outside of the data's folders")
        return faults


def _list_names(folder: Path) -> list[str]:
    return [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names]


def _run(root: Path, command: tuple[str, ...], case: Case) -> Run:
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = os.fork()
        if process == 0:
            _become(root, command, case, output.fileno())
        timer = threading.Timer(MAX_WALL_SECONDS, os.kill, (process, signal.SIGKILL))
        timer.start()
        _, status, usage = os.wait4(process, 0)
        timer.cancel()
        waited = time.perf_counter() - start
        output.seek(0)
        text = output.read(2_000_000).decode("utf-8", "replace")
    used = usage.ru_utime + usage.ru_stime
    seconds = waited if waited >= MAX_WALL_SECONDS else used
    return Run(os.waitstatus_to_exitcode(status), text, seconds, usage.ru_maxrss * 1024)


def _become(root: Path, command: tuple[str, ...], case: Case, output: int) -> None:
    """Turn a forked process into `python -m COMMAND`, in its folder and with its output."""
    status = 70
    try:
        os.chdir(root)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        resource.setrlimit(resource.RLIMIT_AS, (8 * MAX_BYTES, 8 * MAX_BYTES))
        variables = {"PYTHONPATH": str(PROJECT), "EXEMPLARS_WORKERS": "1", "OMP_NUM_THREADS": "1"}
        os.environ.update({**variables, **case.environment})
        if case.environment:  # They matter when Python starts.
            os.execv(sys.executable, [sys.executable, "-m", *command])
        sys.argv[1:] = command[1:]
        runpy.run_module(command[0], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _find_faults(run: Run, command: tuple[str, ...], case: Case, root: Path) -> list[str]:
    label = " ".join(command)[:40]
    faults = []
    if "Traceback (most recent call last)" in run.output or run.status not in (0, 1, 2):
        last = (run.output.strip().splitlines() or [""])[-1][:200]
        faults.append(f"traceback: {label}: status {run.status}: {last}")
    if run.seconds > MAX_SECONDS:
        faults.append(f"hang: {label}: {run.seconds:.0f} s")
    if run.bytes > MAX_BYTES:
        faults.append(f"memory: {label}: {run.bytes / 1e9:.1f} GB")
    if run.status == 0 and command == INGEST and case.rows:
        rows = json.loads((root / "reports/ingest/mine.json").read_bytes())["rows_in"]
        if rows < case.rows:
            faults.append(f"no account: {label}: {rows} rows, expected at least {case.rows}")
    if run.status == 0 and case.must_fail:
        faults.append(f"no account: {label}: accepted")
    if run.status in (1, 2) and case.place not in run.output:
        faults.append(f"no account: {label}: no message names {case.place}: {run.output[-200:]!a}")
    return faults


if __name__ == "__main__":
    sys.exit(main())
