"""The code that a stage runs, as a hash: how a project whose code is an installed package depends on it.

In this repository `dvc.yaml` names the code of each stage as files. In a project that `exemplars init` made, it names
a key of `code.yaml`, a small file with the hash of the same files in the installed package, so that an upgrade runs
again only the stages whose code it changes.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any, Final

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError, run_main
from exemplars.core.files import hash_file, read_file, write_bytes
from exemplars.core.names import check_name
from exemplars.core.preflight import check_later_stages
from exemplars.core.yaml_documents import YamlProblem, decode_yaml

LOCK_COPY: Final = Path(".dvc/tmp/exemplars/dvc.lock")
"""A copy of `dvc.lock` from when it was complete: `exemplars recover` restores it."""
STAGE_VARIABLE: Final = "DVC_STAGE"
"""The variable in which DVC gives a stage its name."""
_LOCK: Final = Path("dvc.lock")
CODE: Final = Path("code.yaml")
CODE_KEY: Final = "code"
"""The key of `code.yaml` with the hash of each stage."""
PIPELINE: Final = Path(str(files("exemplars") / "project" / "pipeline.yaml"))
"""The `dvc.yaml` of this repository, as the package has it."""
_DVC_YAML: Final = Path("dvc.yaml")
_PACKAGES: Final = Path(str(files("exemplars"))).parent
"""The folder with the packages `exemplars` and `stages`."""
_SCHEMAS: Final = {"${compile.recognizers}": layout.RECOGNIZERS, "${curate.lexicons}": layout.LEXICONS}
"""The dependencies that `dvc.yaml` names by a parameter, and the schemas that are the default."""


def run_stage(name: str, main: Callable[[], str | None]) -> int:
    """Run the entry point of a stage as `run_main` does.

    Before it, raise `UserError` if the code is not the one that the project depends on, or if this stage or a
    later one would fail for a reason that is known already.
    """

    def run() -> str | None:
        keep_lock_copy()
        check_code_version(name)
        check_later_stages(name)
        return main()

    return run_main(run)


def parse_stage_key(arguments: Sequence[str], stage: str, role: str) -> str:
    """Parse the arguments of a stage that runs once for each key: the key, or `ingest@KEY` as DVC calls its stage.

    role: what the key names, for messages. Raises `UserError` if it is no name, and `SystemExit` if there is more or
    less than one argument.

    >>> parse_stage_key(["ingest@bots"], "ingest", "source")
    'bots'
    """
    if len(arguments) != 1:
        raise SystemExit(f"usage: python -m stages.{stage} {role.upper()}")
    return check_name(arguments[0].removeprefix(f"{stage}@"), role)


def keep_lock_copy() -> None:
    """Copy `dvc.lock` as the stages before this one left it: DVC would leave a part of it if it were killed later.

    DVC itself is waiting for this stage, so that it does not write the file now.
    """
    if STAGE_VARIABLE in os.environ and _LOCK.is_file() and LOCK_COPY.parent.parent.is_dir():
        data = _LOCK.read_bytes()
        if data.endswith(b"\n"):
            write_bytes(LOCK_COPY, data)


def check_code_version(stage: str) -> None:
    """Raise `UserError` if `code.yaml` names other code of a stage than is installed; it need not exist."""
    if not CODE.exists():
        return
    recorded = read_code_versions()
    if recorded.get(CODE_KEY, {}).get(stage) != hash_stage_code(stage):
        summary = f"exemplars {get_version()} is installed, with other code of {stage} than this file names"
        raise UserError([_problem("other_code", summary, "run `exemplars upgrade`, then `dvc repro`")])


def check_dependency(stage: str, path: str) -> None:
    """Raise `UserError` if a stage reads a path that a parameter names, and `dvc.yaml` does not name it.

    An edit of the file would run nothing again. Only `dvc.yaml` of a project with `code.yaml` is checked: that of this
    repository takes such paths from the parameters. `check_run_dependency` is for what neither names.
    """
    if CODE.exists():
        _check_dependency(stage, path)


def check_run_dependency(stage: str, folder: str) -> None:
    """Raise `UserError` if a stage reads a run that a parameter names, and `dvc.yaml`, if there is one, does not.

    The stage would run before the training, and not again after it. A stage that does not always need the run must not
    always depend on it: the run would be trained for nothing.
    """
    if _DVC_YAML.exists():
        _check_dependency(stage, folder)


def _check_dependency(stage: str, path: str) -> None:
    stages = decode_yaml(read_file(_DVC_YAML).decode("utf-8")).get("stages", {})
    defined = stages.get(stage, {})
    place = f"stages.{stage}.do" if "do" in defined else f"stages.{stage}"
    paths = defined.get("do", defined).get("deps", [])
    if any(PurePosixPath(path).is_relative_to(str(dependency)) for dependency in paths):
        return
    summary = f"{stage} reads {path}, which is not among its dependencies"
    fix = f"add `- {path}` to {place}.deps, then run `dvc repro` again"
    raise UserError([_problem("no_dependency", summary, fix, _DVC_YAML)])


def read_code_versions() -> dict[str, Any]:
    """Read `code.yaml`. Raises `UserError` if it is damaged."""
    try:
        document = decode_yaml(read_file(CODE, limit=2**20).decode("utf-8"))
    except (YamlProblem, UnicodeDecodeError):
        document = None
    if not isinstance(document, dict) or not isinstance(document.get(CODE_KEY), dict):
        raise UserError([_problem("bad_code_file", "it has no hashes of code", "run `exemplars upgrade`")])
    return document


def get_version() -> str:
    """Return the version of the installed package; of a source tree that is not installed, `unknown`."""
    try:
        return version("exemplars")
    except PackageNotFoundError:
        return "unknown"


def list_stages() -> tuple[str, ...]:
    """List the names of the stages, in the order of the pipeline."""
    return tuple(_read_pipeline())


def hash_stage_code(stage: str) -> str:
    """Return the SHA-256, in hexadecimal, of the code and the packaged schemas that a stage depends on."""
    digest = hashlib.sha256()
    for name, path in sorted(_list_code_files(stage)):
        digest.update(f"{name}\0{hash_file(path)}\n".encode())
    return digest.hexdigest()


def hash_all_code() -> str:
    """Return the SHA-256, in hexadecimal, of the code and the packaged schemas of all stages."""
    return hashlib.sha256("".join(map(hash_stage_code, list_stages())).encode()).hexdigest()


def _list_code_files(stage: str) -> Iterator[tuple[str, Path]]:
    """List the files, by their path relative to the repository: those of the stage's dependencies that are code."""
    for dependency in _read_pipeline()[stage]:
        path = _SCHEMAS.get(dependency, dependency)
        if path.startswith(("exemplars/", "stages/")):
            root = _PACKAGES / path
        elif Path(path).is_relative_to(layout.SCHEMAS):
            root = layout.PACKAGED_SCHEMAS / Path(path).relative_to(layout.SCHEMAS)
        else:
            continue
        for file in [root] if root.is_file() else root.rglob("*"):
            if file.is_file() and file.suffix != ".pyc":
                yield f"{path}/{file.relative_to(root).as_posix()}", file


@functools.cache
def _read_pipeline() -> dict[str, list[str]]:
    """Read the dependencies of each stage in this repository."""
    stages = decode_yaml(PIPELINE.read_text("utf-8"))["stages"]
    return {name: stage.get("do", stage)["deps"] for name, stage in stages.items()}


def _problem(code: str, summary: str, fix: str, path: Path = CODE) -> Diagnostic:
    return Diagnostic(path=str(path), code=code, fix=fix, summary=summary)
