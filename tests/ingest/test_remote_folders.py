"""Sources at URLs: a store in memory, and drivers that fail."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from exemplars.core.errors import UserError
from exemplars.core.records import Record
from exemplars.core.tables import rows_from_table
from stages.ingest.params import IngestParams, SgdSource, SkillsSource
from stages.ingest.remote_folders import open_source_folder, require_folder
from stages.ingest.sources import read_source
from tests.conftest import SAMPLE

SKILL = b"""# ring

## Examples

### User: ring the office
### Assistant: ring(who="the office")
### Exemplar: ring <who>
"""


@pytest.fixture
def store() -> Iterator[MemoryFileSystem]:
    files = MemoryFileSystem()
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = [""]


def read(path: str) -> list[Record]:
    params = IngestParams(sources={"calls": SkillsSource(path=path, license="CC0-1.0")})
    return rows_from_table(read_source("calls", params, 1).records, Record)


def test_a_source_at_a_url_gives_the_rows_of_the_same_folder_here(store: MemoryFileSystem) -> None:
    sample = SAMPLE / "data/raw/skills"
    for file in sample.rglob("*.md"):
        store.pipe_file(f"/calls/{file.relative_to(sample).as_posix()}", file.read_bytes())
    store.pipe_file("/calls/.hidden/x.md", b"not read")
    rows = read("memory://calls/")
    assert rows == read(str(sample))
    assert {row.origin.path for row in rows} == {
        file.relative_to(sample).as_posix() for file in sample.rglob("*.md")
    }


def test_the_copy_is_removed_and_is_in_the_project(
    store: MemoryFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    store.pipe_file("/calls/a/b.md", SKILL)
    with open_source_folder("memory://calls") as folder:
        assert folder.is_relative_to(".dvc/tmp/exemplars/sources")
        assert (folder / "a/b.md").read_bytes() == SKILL
    assert list((tmp_path / ".dvc/tmp/exemplars/sources").iterdir()) == []


def test_a_damaged_file_is_named_by_its_url(store: MemoryFileSystem) -> None:
    store.pipe_file("/dialogues/dialogues_001.json", b"[]")
    params = IngestParams(
        sources={"talks": SgdSource(path="memory://dialogues", license="CC0-1.0", splits=())}
    )
    with pytest.raises(
        UserError, match=r"^memory://dialogues/schema\.json: missing_file: found no such file, expected the"
    ):
        read_source("talks", params, 1)


class RefusingFileSystem(MemoryFileSystem):
    protocol = "refusing"

    def find(self, *_: object, **__: object) -> list[str]:
        raise PermissionError("Access Denied")


class LostFileSystem(MemoryFileSystem):
    protocol = "lost"

    def find(self, *_: object, **__: object) -> list[str]:
        raise ConnectionError("Cannot connect to host\nlost.example:443")


class ClimbingFileSystem(MemoryFileSystem):
    protocol = "climbing"

    def find(self, path: str, *_: object, **__: object) -> list[str]:
        return [f"{path}/../up.md"]


DRIVERS = (RefusingFileSystem, LostFileSystem, ClimbingFileSystem)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("climbing://x", "climbing://x: unreadable_url: the name '"),
        (
            "memory://none",
            "memory://none: unreadable_url: there is no such folder, or no file in it; correct the",
        ),
        (
            "refusing://x",
            "refusing://x: unreadable_url: it may not be read: Access Denied; give this process the",
        ),
        (
            "lost://x",
            "lost://x: unreadable_url: it cannot be read: Cannot connect to host lost.example:443; check the",
        ),
        (
            "gopher://x",
            "gopher://x: unreadable_url: there is no driver of gopher://; use a scheme that fsspec knows",
        ),
        ("oss://x", "oss://x: unreadable_url: the driver of oss:// is not installed: "),
    ],
)
def test_what_cannot_be_read_is_one_sentence(url: str, message: str) -> None:
    for driver in DRIVERS:
        fsspec.register_implementation(driver.protocol, driver, clobber=True)
    with pytest.raises(UserError) as raised:
        read(url)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


def test_a_full_disk_is_not_blamed_on_the_store(
    store: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_disk(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store.pipe_file("/calls/a.md", SKILL)
    monkeypatch.setattr(MemoryFileSystem, "get", fill_disk)
    with pytest.raises(OSError, match="No space left on device"):
        read("memory://calls")


def test_a_command_that_edits_sources_refuses_a_url() -> None:
    with pytest.raises(
        UserError,
        match=r"^s3://calls: unreadable_url: a source at a URL can only be read; edit the files there, or fetch",
    ):
        require_folder("s3://calls")
