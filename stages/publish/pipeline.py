"""The pipeline as `dvc.yaml` declares it, with the content hashes of what each stage reads and writes.

Not as `dvc.lock` records it: while DVC runs this stage, the lock file does not yet have the stages that ran
before it in the same `dvc repro`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

import msgspec

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import hash_file
from exemplars.core.yaml_documents import YamlProblem, decode_yaml

PATH: Final = Path("dvc.yaml")
_CODE: Final = ("exemplars", "stages")
"""Top-level folders of code: a dependency in them is a program, not data."""
_UNHASHED: Final = (".gitignore", ".partial")
"""Ends of the names of files that DVC, or an interrupted write, leaves in a folder."""


class HashedFile(msgspec.Struct, frozen=True):
    """A file or folder that a stage reads or writes."""

    path: str
    """Relative to the project's root, with `/`."""
    sha256: str
    """Of the content; for a folder, of the lines `path sha256` of the files in it, sorted by path."""
    length: int
    """Bytes of all files together."""
    files: int
    rows: int | None = None
    """Of a table."""
    columns: tuple[tuple[str, str], ...] = ()
    """Names and Arrow types of a table's columns."""


class StageRun(msgspec.Struct, frozen=True):
    """The last run of a stage."""

    name: str
    """As DVC has it; an instance of `foreach` is `ingest@sgd`."""
    description: str
    command: str
    inputs: tuple[HashedFile, ...]
    outputs: tuple[HashedFile, ...]


class StageDefinition(msgspec.Struct, frozen=True):
    """A stage of `dvc.yaml` with the paths that it reads and writes."""

    name: str
    description: str
    command: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def read_stage_definitions(path: Path = PATH) -> tuple[StageDefinition, ...]:
    """Read the stages of `dvc.yaml` in their order, with templates resolved by DVC from `params.yaml`.

    Dependencies on code are left out. Raises `UserError` if the file is missing or damaged.
    """
    from dvc.exceptions import DvcException
    from dvc.parsing import DataResolver
    from dvc.repo import Repo

    try:
        document = decode_yaml(path.read_bytes().decode("utf-8-sig"))
        resolved = DataResolver(Repo(".", uninitialized=True), ".", document).resolve()["stages"].items()
    except FileNotFoundError:
        raise UserError([_report_unreadable(path, "no such file")]) from None
    except (YamlProblem, UnicodeDecodeError, DvcException, KeyError, TypeError, AttributeError) as error:
        first_line = (str(error).splitlines() or ["no stages"])[0]
        raise UserError([_report_unreadable(path, first_line)]) from None
    return tuple(_parse_stage(name, stage) for name, stage in resolved)


def expand_folder_inputs(stages: Iterable[StageDefinition]) -> tuple[StageDefinition, ...]:
    """Replace each input that is a folder by the paths in it that other stages read or write.

    So a file that one stage writes and another reads has the same name in both.
    """
    stages = tuple(stages)
    paths = {path for stage in stages for path in (*stage.inputs, *stage.outputs)}
    leaves = sorted(path for path in paths if not any(other.startswith(f"{path}/") for other in paths))
    return tuple(
        msgspec.structs.replace(stage, inputs=tuple(dict.fromkeys(_expand_folders(stage.inputs, leaves))))
        for stage in stages
    )


def build_stage_runs(
    stages: Iterable[StageDefinition], files: Mapping[str, HashedFile]
) -> tuple[StageRun, ...]:
    """Build the runs of the stages that have at least one output.

    files: all that exist, by path; inputs and outputs that do not exist are left out.
    """
    runs = []
    for stage in stages:
        inputs, outputs = (
            tuple(files[path] for path in paths if path in files) for paths in (stage.inputs, stage.outputs)
        )
        if outputs:
            runs.append(StageRun(stage.name, stage.description, stage.command, inputs, outputs))
    return tuple(runs)


def hash_paths(paths: Iterable[str]) -> dict[str, HashedFile]:
    """Hash what exists at the paths; a path with nothing, or an empty folder, is left out."""
    hashed = {path: hash_path(Path(path)) for path in sorted(set(paths)) if Path(path).exists()}
    return {path: file for path, file in hashed.items() if file.files}


def hash_path(path: Path) -> HashedFile:
    """Hash a file, or all files in a folder except those that DVC and interrupted writes leave there."""
    if path.is_file():
        rows, columns = _read_table_shape(path) if path.suffix == ".parquet" else (None, ())
        return HashedFile(path.as_posix(), hash_file(path), path.stat().st_size, 1, rows, columns)
    files = {
        file.relative_to(path).as_posix(): file
        for file in path.rglob("*")
        if file.is_file() and not file.name.endswith(_UNHASHED)
    }
    lines = "".join(f"{name} {hash_file(files[name])}\n" for name in sorted(files))
    length = sum(file.stat().st_size for file in files.values())
    return HashedFile(path.as_posix(), hashlib.sha256(lines.encode()).hexdigest(), length, len(files))


def hash_document(path: Path, data: bytes) -> HashedFile:
    """Hash a document that this stage is about to write to `path`."""
    return HashedFile(path.as_posix(), hashlib.sha256(data).hexdigest(), len(data), 1)


def _read_table_shape(path: Path) -> tuple[int | None, tuple[tuple[str, str], ...]]:
    """Read the rows and columns of a Parquet file; `None` and no columns if it is not one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            columns = tuple((field.name, str(field.type)) for field in file.schema_arrow)
            return file.metadata.num_rows, columns
    except pa.ArrowInvalid:
        return None, ()


def _expand_folders(inputs: Iterable[str], leaves: Iterable[str]) -> list[str]:
    expanded = []
    for path in inputs:
        expanded += [leaf for leaf in leaves if leaf.startswith(f"{path}/")] or [path]
    return expanded


def _parse_stage(name: str, stage: Mapping[str, Any]) -> StageDefinition:
    outputs = [
        _parse_output(entry) for kind in ("outs", "metrics", "plots") for entry in stage.get(kind) or ()
    ]
    inputs = [path for path in stage.get("deps") or () if not _is_code(path)]
    return StageDefinition(
        name, stage.get("desc") or name, str(stage["cmd"]), tuple(inputs), tuple(filter(None, outputs))
    )


def _is_code(path: str) -> bool:
    """Whether a path of `dvc.yaml` is one of the code folders, or in one."""
    return PurePosixPath(path).parts[:1] in [(folder,) for folder in _CODE]


def _parse_output(entry: str | Mapping[str, Any]) -> str:
    """Return the path of an output of `dvc.yaml`, which is written alone or with options."""
    return entry if isinstance(entry, str) else next(iter(entry))


def _report_unreadable(path: Path, found: str) -> Diagnostic:
    return Diagnostic(
        path=str(path),
        code="unreadable_pipeline",
        found=found,
        expected="the pipeline of DVC",
        fix="restore it from git",
    )
