"""A stage run again on its recorded inputs, in a folder of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import stages

CODE_ROOT: Final = Path(stages.__file__).parent.parent
"""The folder that holds the packages `stages` and `exemplars` of this process."""
PYTHON: Final = sys.executable
"""What runs the stages."""
SANDBOXES: Final = Path(".dvc/tmp/exemplars-verify")
"""The folder of the sandboxes, relative to the project's root; a killed process may leave some there."""
_CODE: Final = ("exemplars/", "stages/")
_PIPELINE: Final = ("params.yaml", "dvc.yaml")
_LINEAGE_URL: Final = re.compile(r"^( +openlineage_url:).*$", re.MULTILINE)
_PROBLEM: Final = re.compile(r"^  (?P<place>.+?): (?P<code>[a-z_]+): (?P<sentence>.+)$", re.MULTILINE)


class StageFailure(NamedTuple):
    """Why a stage ended without its outputs."""

    code: str
    """Of the stage's first error; empty if it printed none."""
    sentence: str


def is_code(path: str) -> bool:
    """Return whether a dependency is a folder of the code that runs.

    >>> is_code("stages/compile"), is_code("data/records")
    (True, False)
    """
    return f"{path}/".startswith(_CODE)


@contextmanager
def make_sandbox(root: Path, inputs: Mapping[str, Path]) -> Iterator[Path]:
    """Yield a folder with the inputs of a stage, on the disk of the project if that is possible.

    inputs: the files, by their path in the project. They are hard links where the disk allows it, else copies;
    stages replace whole files, and so never write to a link.
    """
    folder = _make_folder(root)
    try:
        for path, file in inputs.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            source = file.resolve()
            try:
                os.link(source, place)
            except OSError:
                shutil.copyfile(source, place)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make_folder(root: Path) -> Path:
    """Make an empty folder in the project, or elsewhere if the project cannot be written."""
    parent = root / SANDBOXES
    try:
        parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=parent))
    except OSError:
        return Path(tempfile.mkdtemp(prefix="exemplars-"))


def remove_leftovers(root: Path) -> None:
    """Remove the sandboxes that killed processes left: they have links to data that may be erased later."""
    for folder in (root / SANDBOXES).glob("*-*"):
        process = folder.name.partition("-")[0]
        if process.isdecimal() and not _is_alive(int(process)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def write_pipeline(folder: Path, documents: Mapping[str, bytes]) -> None:
    """Write `params.yaml` and `dvc.yaml` into a sandbox, without the address that events are sent to."""
    for name in _PIPELINE:
        text = documents[name].decode("utf-8")
        (folder / name).write_text(_LINEAGE_URL.sub(r"\1 null", text), "utf-8")


def run_stage(folder: Path, stage: str, *arguments: str) -> StageFailure | None:
    """Run a stage with the installed code in a sandbox; return why it failed, or `None`."""
    python_path = os.pathsep.join(filter(None, [str(CODE_ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": python_path, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [PYTHON, "-m", f"stages.{stage}", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return None
    if problem := _PROBLEM.search(done.stderr):
        return StageFailure(problem["code"], f"{problem['place']}: {problem['sentence']}")
    lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
    return StageFailure("", lines[-1])
