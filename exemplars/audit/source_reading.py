"""The sources of a project, read by the readers of `ingest` themselves, for checks before a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.layout import is_url, join_path, normalize_folder
from exemplars.core.params import PATH
from exemplars.dataset.catalog import Skill
from exemplars.dataset.catalog_merge import find_definition
from stages.ingest.params import IngestParams
from stages.ingest.remote_folders import open_source_folder
from stages.ingest.source_files import SourceTables
from stages.ingest.sources import read_source


class ReadSource(NamedTuple):
    """A source that was read, or why it could not be."""

    name: str
    folder: str
    """Relative to the root of the project, or a URL."""
    tables: SourceTables | None
    problems: tuple[Diagnostic, ...] = ()
    """Files that cannot be read, with paths relative to the root of the project."""

    def list_skills(self) -> list[Skill]:
        """List the skills that the source defines, with places relative to the root of the project.

        The place of a skill that is inferred from examples is the first of them.
        """
        skills = () if self.tables is None else self.tables.skills
        files = {} if all(skill.place for skill in skills) else self._read_files()
        return [
            msgspec.structs.replace(skill, place=join_path(self.folder, place))
            for skill in skills
            for place in [skill.place or find_definition(skill.name, files)]
        ]

    def _read_files(self) -> dict[str, bytes]:
        with open_source_folder(self.folder) as folder:
            files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
            return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def read_sources(
    params: IngestParams, names: Iterable[str], max_bytes: int | None = None
) -> Iterator[ReadSource]:
    """Read sources as `ingest` does. max_bytes: larger sources are not read; their tables are `None`."""
    for name in names:
        folder = normalize_folder(params.sources[name].path)
        if max_bytes is not None and _is_larger(folder, max_bytes):
            yield ReadSource(name, folder, None)
            continue
        try:
            yield ReadSource(name, folder, read_source(name, params, workers=1))
        except UserError as error:
            problems = tuple(_relocate(problem, folder) for problem in error.diagnostics)
            yield ReadSource(name, folder, None, problems)


def _is_larger(folder: str, max_bytes: int) -> bool:
    """Check whether a folder is larger than a bound; one at a URL counts as larger, since its files are copied."""
    return is_url(folder) or (Path(folder).is_dir() and measure_folder(Path(folder)) > max_bytes)


def measure_folder(folder: Path) -> int:
    """Measure the files of a folder, in bytes."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _relocate(problem: Diagnostic, folder: str) -> Diagnostic:
    """Make the path of a problem relative to the root of the project, as far as it is a file of the source."""
    is_own = problem.path in (str(PATH), folder) or problem.path.startswith(f"{folder}/")
    if is_own or is_url(folder) or not Path(folder, problem.path).exists():
        return problem
    return msgspec.structs.replace(problem, path=join_path(folder, problem.path))
