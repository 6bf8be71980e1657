"""The pipeline as `dvc.yaml` draws it, with the content hashes of what each stage reads and writes.

Not from `dvc.lock`: while DVC runs this stage, it has not yet written there what it ran before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from exemplars.core.errors import Diagnostic, UserError

PATH: Final = Path("dvc.yaml")
_CODE: Final = "stages/"
"""Dependencies below it are programs, no data."""
_HIDDEN: Final = (".gitignore", ".partial")


class FileFacts(msgspec.Struct, frozen=True):
    """A file, or a folder, that a stage reads or writes."""

    path: str
    """Relative to the project's root, with `/`."""
    sha256: str
    """Of the content; of a folder, of the lines `path sha256` of the files below it, by path."""
    length: int
    """Bytes, of all files together."""
    files: int
    rows: int | None = None
    """Of a table."""
    columns: tuple[tuple[str, str], ...] = ()
    """Names and Arrow types, of a table."""


class StageFacts(msgspec.Struct, frozen=True):
    """One stage, as it ran last."""

    name: str
    """As DVC calls it: an instance is `ingest@sgd`."""
    description: str
    command: str
    inputs: tuple[FileFacts, ...]
    outputs: tuple[FileFacts, ...]


class Step(msgspec.Struct, frozen=True):
    """One stage of `dvc.yaml`, with the paths that it reads and writes."""

    name: str
    description: str
    command: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def read_steps(path: Path = PATH) -> tuple[Step, ...]:
    """The stages of `dvc.yaml`, its templates filled in by DVC from `params.yaml`, in its order.

    Of the dependencies, code is left out. Raises `UserError` where the file is missing or damaged.
    """
    from dvc.exceptions import DvcException
    from dvc.parsing import DataResolver
    from dvc.repo import Repo

    try:
        document = yaml.safe_load(path.read_bytes())
        resolved = DataResolver(Repo(".", uninitialized=True), ".", document).resolve()["stages"].items()
    except FileNotFoundError:
        raise UserError([_problem(path, "no such file")]) from None
    except (yaml.YAMLError, DvcException, KeyError, TypeError, AttributeError) as error:
        raise UserError([_problem(path, (str(error).splitlines() or ["no stages"])[0])]) from None
    return tuple(_step(name, one) for name, one in resolved)


def linked(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps, in which an input that is a folder stands for what others read or write below it.

    So that what one stage writes, and another reads, has one name.
    """
    steps = tuple(steps)
    named = {path for step in steps for path in (*step.inputs, *step.outputs)}
    leaves = sorted(path for path in named if not any(other.startswith(f"{path}/") for other in named))
    return tuple(
        msgspec.structs.replace(step, inputs=tuple(dict.fromkeys(_parts(step.inputs, leaves))))
        for step in steps
    )


def stages_of(steps: Iterable[Step], files: Mapping[str, FileFacts]) -> tuple[StageFacts, ...]:
    """What ran: the steps that have at least one output, with what there is of their inputs and outputs."""
    found = []
    for step in steps:
        inputs, outputs = (
            tuple(files[one] for one in paths if one in files) for paths in (step.inputs, step.outputs)
        )
        if outputs:
            found.append(StageFacts(step.name, step.description, step.command, inputs, outputs))
    return tuple(found)


def read_files(paths: Iterable[str]) -> dict[str, FileFacts]:
    """What lies at the paths, hashed; those where nothing lies are left out."""
    found = {path: file_facts(Path(path)) for path in sorted(set(paths)) if Path(path).exists()}
    return {path: one for path, one in found.items() if one.files}


def file_facts(path: Path) -> FileFacts:
    """Hash a file, or all below a folder but what DVC and half-done writes leave there."""
    if path.is_file():
        rows, columns = _table(path) if path.suffix == ".parquet" else (None, ())
        return FileFacts(path.as_posix(), _sha256(path), path.stat().st_size, 1, rows, columns)
    below = {
        one.relative_to(path).as_posix(): one
        for one in path.rglob("*")
        if one.is_file() and not one.name.endswith(_HIDDEN)
    }
    lines = "".join(f"{name} {_sha256(below[name])}\n" for name in sorted(below))
    length = sum(one.stat().st_size for one in below.values())
    return FileFacts(path.as_posix(), hashlib.sha256(lines.encode()).hexdigest(), length, len(below))


def written_facts(path: Path, data: bytes) -> FileFacts:
    """A file that this stage is about to write."""
    return FileFacts(path.as_posix(), hashlib.sha256(data).hexdigest(), len(data), 1)


def _table(path: Path) -> tuple[int | None, tuple[tuple[str, str], ...]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            columns = tuple((field.name, str(field.type)) for field in file.schema_arrow)
            return file.metadata.num_rows, columns
    except pa.ArrowInvalid:
        return None, ()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parts(inputs: Iterable[str], leaves: Iterable[str]) -> list[str]:
    found = []
    for path in inputs:
        found += [one for one in leaves if one.startswith(f"{path}/")] or [path]
    return found


def _step(name: str, stage: Mapping[str, Any]) -> Step:
    outputs = [
        _path(one) for kind in ("outs", "metrics", "plots") for one in stage.get(kind) or () if _path(one)
    ]
    inputs = [one for one in stage.get("deps") or () if not one.startswith(_CODE)]
    return Step(name, stage.get("desc") or name, str(stage["cmd"]), tuple(inputs), tuple(outputs))


def _path(entry: str | Mapping[str, Any]) -> str:
    """An output of `dvc.yaml`: its path, or its path with options."""
    return entry if isinstance(entry, str) else next(iter(entry))


def _problem(path: Path, found: str) -> Diagnostic:
    return Diagnostic(
        path=str(path),
        code="unreadable_pipeline",
        found=found,
        expected="the pipeline of DVC",
        fix="restore it from git",
    )
