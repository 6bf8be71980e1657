"""Kill commands at random moments, run the same command again, and check that it recovers.

    python tests/benchmarks/kills.py redact 30
    python tests/benchmarks/kills.py purge 30
    python tests/benchmarks/kills.py merge 10
    python tests/benchmarks/kills.py repro 30
    python tests/benchmarks/kills.py dvc 30

Each kill is a SIGKILL. Half of them come after a random time, and half right before a random change of the file
system (a file opened for writing, renamed, removed, …), where a command is most vulnerable. `repro` is
`exemplars recover && dvc repro validate`, as `make repro` has it, and `dvc` is `dvc repro validate` alone. All of their
kills come after a random time; DVC dies together with the stage that it runs. `--seed N` draws other moments.
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from exemplars.cli.main import main as run_exemplars
from exemplars.core.files import hash_file
from tests.cli.erasure_project import KEY, ErasureProject, make_project

CHANGES: Final = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.link", "os.truncate")
"""The audit events of Python that announce a change of the file system; `open` does if it writes."""
_RECOVER: Final = (sys.executable, "-m", "exemplars.cli.main", "recover")
REPRO_OUTPUTS: Final = ("data/records", "data/exemplars", "data/curated", "data/splits", "reports")


class Moment(NamedTuple):
    """When a command is killed: after some seconds, or before its n-th change of the file system (from 0)."""

    seconds: float | None = None
    change: int | None = None


NEVER: Final = Moment()


class Outcome(NamedTuple):
    """What came of a kill."""

    moment: Moment
    killed: bool
    """Whether the command was still running."""
    problems: tuple[str, ...]
    """What was wrong after the command was run again; empty: it recovered."""
    remedy: str = ""
    """What docs/reliability.md says to do first, if the same command alone did not help."""


class Scenario(NamedTuple):
    """A command to kill."""

    prepared: Path
    """A folder to copy for each kill; the project is its subfolder `project`."""
    run: Callable[[Path, Moment], int | None]
    """Runs the command in a project; returns its status, `None` if it was killed."""
    check: Callable[[Path], list[str]]
    """Lists what is wrong with a project after the command has ended, compared with an undisturbed one."""
    check_killed: Callable[[Path], list[str]] = lambda _: []
    """Lists what is wrong with a project right after the kill."""
    remedy: Callable[[Path], str] = lambda _: ""
    """Does what docs/reliability.md says for the message in the output, and names it; empty: it says nothing."""


def run_kills(scenario: Scenario, kills: int, seed: int, work: Path) -> list[Outcome]:
    """Kill the command so often; return what came of it.

    A kill that comes after the command's end is repeated at a different moment.
    """
    folder = _copy(scenario, work)
    start = time.perf_counter()
    status = scenario.run(folder, NEVER)
    seconds = time.perf_counter() - start
    assert status == 0, _read_output(folder)
    counted = work / "changes.txt"
    changes = int(counted.read_text("utf-8")) if counted.exists() else 0
    draw = random.Random(seed)
    outcomes: list[Outcome] = []
    while sum(outcome.killed for outcome in outcomes) < kills:
        at_change = changes > 0 and len(outcomes) % 2 == 1
        moment = (
            Moment(change=draw.randrange(changes)) if at_change else Moment(seconds=draw.uniform(0, seconds))
        )
        outcomes.append(_kill_once(scenario, moment, work))
        print(outcomes[-1], file=sys.stderr, flush=True)
    return outcomes


def _kill_once(scenario: Scenario, moment: Moment, work: Path) -> Outcome:
    folder = _copy(scenario, work)
    killed = scenario.run(folder, moment) is None
    problems = scenario.check_killed(folder) if killed else []
    status = scenario.run(folder, NEVER)
    remedy = scenario.remedy(folder) if status != 0 else ""
    if remedy:
        status = scenario.run(folder, NEVER)
    if status != 0:
        problems.append(f"exit status {status}: {_read_output(folder)[-600:]}")
    else:
        problems += scenario.check(folder)
    return Outcome(moment, killed, tuple(problems), remedy)


def _copy(scenario: Scenario, work: Path) -> Path:
    shutil.rmtree(work, ignore_errors=True)
    return shutil.copytree(scenario.prepared, work, symlinks=True) / "project"


def _read_output(folder: Path) -> str:
    return (folder.parent / "output.txt").read_text("utf-8", "replace")


def run_forked(command: Callable[[], object], folder: Path, moment: Moment = NEVER) -> int | None:
    """Run a command in a process of its own, and kill it at a moment; return its status, `None` if it was killed.

    The process is forked, so that what this one has imported is not imported again. Its output goes to
    `output.txt` next to the folder, the number of its changes of the file system to `changes.txt`.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os._exit(_run_child(command, folder, moment))
    if moment.seconds is not None:
        time.sleep(moment.seconds)
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return None if code == -signal.SIGKILL else code


def _run_child(command: Callable[[], object], folder: Path, moment: Moment) -> int:
    output = os.open(folder.parent / "output.txt", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(folder)
    try:
        get_count = _count_changes(moment.change)
        status = command()
        count = get_count()
        (folder.parent / "changes.txt").write_text(str(count), "utf-8")
        return status if isinstance(status, int) else 0
    except BaseException:
        traceback.print_exc()
        return 99
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _count_changes(last: int | None) -> Callable[[], int]:
    """Count this process's changes of the file system, and kill it before the change with the number `last`."""
    count = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        flags = arguments[2] if event == "open" else 0
        if event in CHANGES or (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)):
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1

    sys.addaudithook(watch)
    return lambda: count


def make_erasure_scenario(folder: Path, purge: bool, prepared: Path | None = None) -> Scenario:
    """Prepare a project with tombstones of several kinds, and the undisturbed result to compare with.

    prepared: the folder of such a project, before the step; `None`: it is made.
    """
    import dvc.repo  # noqa: F401 - imported before the fork

    import exemplars.audit.erasure.steps  # noqa: F401

    os.environ.update(EXEMPLARS_ERASURE_KEY=KEY, EXEMPLARS_WORKERS="1", DVC_NO_ANALYTICS="1")
    if prepared is None:
        prepared = make_project(folder / "prepared")
        if purge:
            ErasureProject(prepared / "project").redact_and_reproduce()
    step = ("--purge", "--all-revisions") if purge else ("--redact",)

    def run(root: Path, moment: Moment) -> int | None:
        return run_forked(lambda: run_exemplars(["erase", *step, "--yes"]), root, moment)

    expected = ErasureProject(shutil.copytree(prepared, folder / "expected", symlinks=True) / "project")
    assert run(expected.root, NEVER) == 0, _read_output(expected.root)
    return Scenario(
        prepared,
        run,
        lambda root: ErasureProject(root).compare(expected, purged=purge),
        lambda root: [] if purge else ErasureProject(root).find_records_taken_back(),
    )


def make_merge_scenario(folder: Path) -> Scenario:
    """Prepare a project with a run on a tiny base, merged before."""
    import torch  # noqa: F401 - imported before the fork
    import transformers  # noqa: F401

    from tests.train.test_run import Project

    prepared = folder / "prepared"
    (prepared / "project" / ".dvc").mkdir(parents=True)  # The root of a project.

    def prepare() -> object:
        Project(Path()).train()
        return run_exemplars(["merge"])

    assert run_forked(prepare, prepared / "project") == 0, _read_output(prepared / "project")
    merged = Path("models/lora/merged")
    expected = hash_files(prepared / "project" / merged)

    def check(root: Path) -> list[str]:
        return _compare(hash_files(root / merged), expected) + check_ignored(root)

    def check_ignored(root: Path) -> list[str]:
        left = [path.name for path in (root / "models/lora").iterdir()]
        return [f"left over: {name}" for name in left if name.endswith(".partial")]

    return Scenario(
        prepared,
        lambda root, moment: run_forked(lambda: run_exemplars(["merge"]), root, moment),
        check,
        lambda root: _compare(hash_files(root / merged), expected),
    )


def make_repro_scenario(folder: Path, recover: bool) -> Scenario:
    """Prepare a clone of this project; its stages are forked by a stage server.

    recover: whether `exemplars recover` runs before `dvc repro`.
    """
    from tests.pipeline.conftest import Clone
    from tests.stage_server import ServerProcess

    server = ServerProcess()
    prepared = folder / "prepared"
    Clone(prepared / "project", data=None)

    def run(root: Path, moment: Moment) -> int | None:
        return _run_repro(root, moment, server, recover)

    expected = shutil.copytree(prepared, folder / "expected", symlinks=True) / "project"
    assert run(expected, NEVER) == 0, _read_output(expected)
    outputs = {name: hash_files(expected / name) for name in REPRO_OUTPUTS}

    def check(root: Path) -> list[str]:
        problems = [
            f"{name}: {problem}"
            for name, files in outputs.items()
            for problem in _compare(hash_files(root / name), files)
        ]
        if (root / "dvc.lock").read_bytes() != (expected / "dvc.lock").read_bytes():
            problems.append("dvc.lock differs")
        return problems

    return Scenario(prepared, run, check, remedy=_recover_dvc)


def _recover_dvc(root: Path) -> str:
    """Repair the two files that DVC does not write as a whole, if its output says that one is damaged."""
    output = _read_output(root)
    if "RWLock-file" not in output and "dvc.lock" not in output:
        return ""
    subprocess.run(_RECOVER, cwd=root, check=True)
    return "exemplars recover"


def _run_repro(root: Path, moment: Moment, server: Any, recover: bool) -> int | None:
    """Run `dvc repro validate`, after `exemplars recover` or not; kill all processes at the same moment."""
    command = shlex.join([sys.executable, "-m", "dvc", "repro", "validate"])
    if recover:
        command = f"{shlex.join(_RECOVER)} && {command}"
    path = os.pathsep.join((str(server.folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]))
    with (root.parent / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            ["sh", "-c", command],
            cwd=root,
            env={**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1", "EXEMPLARS_WORKERS": "1"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            return process.wait(moment.seconds)
        except subprocess.TimeoutExpired:
            stages = psutil.Process(server.pid).children(recursive=True)
            os.killpg(process.pid, signal.SIGKILL)
            for stage in stages:
                stage.kill()
            process.wait()
            return None


def hash_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a folder, by its path in the folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hash_file(path) for path in files}


def _compare(files: dict[str, str], expected: dict[str, str]) -> list[str]:
    names = sorted({*files, *expected})
    names = [name for name in names if not name.endswith(".partial")]
    return [f"{name} differs" for name in names if files.get(name) != expected.get(name)]


def format_outcomes(name: str, outcomes: list[Outcome]) -> str:
    """Format the counts, and each kill that was not recovered from."""
    killed = sum(outcome.killed for outcome in outcomes)
    recovered = sum(outcome.killed and not (outcome.problems or outcome.remedy) for outcome in outcomes)
    late = len(outcomes) - killed
    lines = [f"{name}: {killed} kills, {recovered} recovered; {late} more came after the end"]
    remedies = Counter(outcome.remedy for outcome in outcomes if outcome.remedy and not outcome.problems)
    lines += [f"  {count} more recovered after `{remedy}`" for remedy, count in sorted(remedies.items())]
    lines += [f"  {outcome.moment}: {problem}" for outcome in outcomes for problem in outcome.problems]
    return "\n".join(lines)


def run_scenario(
    name: str, kills: int, seed: int, folder: Path, prepared: Path | None = None
) -> list[Outcome]:
    """Prepare a scenario in a folder, and run its kills. prepared: see `make_erasure_scenario`."""
    if name == "merge":
        scenario = make_merge_scenario(folder)
    elif name in ("repro", "dvc"):
        scenario = make_repro_scenario(folder, recover=name == "repro")
    else:
        scenario = make_erasure_scenario(folder, name == "purge", prepared)
    return run_kills(scenario, kills, seed, folder / "work")


def main() -> None:
    """Run the kills that the arguments ask for; the exit status is 1 if something was not recovered from."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenario", choices=("redact", "purge", "merge", "repro", "dvc"))
    parser.add_argument("kills", type=int)
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--prepared", type=Path, help="the project of redact or purge, in this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        outcomes = run_scenario(
            arguments.scenario, arguments.kills, arguments.seed, Path(name), arguments.prepared
        )
    print(format_outcomes(arguments.scenario, outcomes))
    sys.exit(any(outcome.problems for outcome in outcomes))


if __name__ == "__main__":
    main()
