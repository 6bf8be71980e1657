from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from exemplars.core.errors import UserError
from exemplars.core.files import list_folder, read_file, replace_file, write_bytes, write_json


def test_an_error_in_the_middle_of_a_write_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    write_bytes(path, b"old")
    with pytest.raises(OSError, match="No space left"), replace_file(path) as partial:
        partial.write_bytes(b"half of the ne")
        raise OSError(28, "No space left on device")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["out.json"]


def test_json_is_indented_and_ends_with_a_newline(tmp_path: Path) -> None:
    write_json(tmp_path / "a" / "b.json", {"b": 1, "a": [2]})
    assert (tmp_path / "a" / "b.json").read_text() == '{\n  "b": 1,\n  "a": [\n    2\n  ]\n}\n'


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            make_fifo,
            "a: not_a_file: found a named pipe, expected a file; move it away, or put a file in its place",
        ),
        (
            Path.mkdir,
            "a: not_a_file: found a folder, expected a file; move it away, or put a file in its place",
        ),
        (
            lambda path: path.symlink_to("/dev/zero"),
            "a: not_a_file: found a device, expected a file; move it away, or put a file in its place",
        ),
        (
            lambda path: path.symlink_to("b"),
            "a: broken_link: found a link to something that does not exist, expected a file; remove the link",
        ),
        (
            lambda path: path.symlink_to("a"),
            "a: unreadable: cannot be read: Too many levels of symbolic links; a link leads to itself: remove it",
        ),
        (
            lambda path: None,
            "a: missing_file: found no such file, expected a file; add the file, or correct its path",
        ),
        (
            lambda path: path.write_bytes(b"12345"),
            "a: file_too_large: found more than 4 bytes, expected at most 4 bytes; divide it into several files",
        ),
    ],
)
def test_what_is_not_a_regular_file_of_bounded_size_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make(Path("a"))
    with pytest.raises(UserError) as caught:
        read_file(Path("a"), limit=4)
    assert str(caught.value) == message


def test_a_file_is_read_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"text")
    (tmp_path / "link").symlink_to("file")
    assert read_file(tmp_path / "link", limit=4) == b"text"


def test_all_that_hides_files_is_listed_with_its_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (Path("raw") / "below").mkdir(parents=True)
    (Path("raw") / "below" / "b.md").touch()
    (Path("raw") / ".hidden").mkdir()
    (Path("raw") / "a.md").touch()
    (Path("raw") / "broken").symlink_to("nothing")
    (Path("raw") / "linked").symlink_to("below", target_is_directory=True)
    Path(os.fsdecode(b"raw/caf\xe9.md")).touch()
    listed = [(entry.path, entry.problem and str(entry.problem)) for entry in list_folder(Path("raw"))]
    assert listed == [
        (Path("raw/a.md"), None),
        (Path("raw/below/b.md"), None),
        (
            Path("raw/broken"),
            "raw/broken: broken_link: found a link to something that does not exist, expected a file or folder; "
            "remove the link",
        ),
        (
            Path(os.fsdecode(b"raw/caf\xe9.md")),
            "raw/caf\\xe9.md: name_not_utf8: found a name that is not UTF-8, expected a name in UTF-8, as row ids "
            "contain it; rename it (for example with convmv -f latin1 -t utf-8)",
        ),
        (
            Path("raw/linked"),
            "raw/linked: linked_folder: found a link to a folder, expected a folder; move the folder here: DVC does "
            "not track the files in a linked folder",
        ),
    ]


def test_a_folder_that_cannot_be_read_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may read everything: deny it as the system would.
    (tmp_path / "secret").mkdir()
    real = os.scandir

    def scan(path: Path) -> object:
        if path.name == "secret":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scan)
    monkeypatch.chdir(tmp_path)
    [entry] = list_folder(Path())
    assert str(entry.problem) == (
        "secret: unreadable: cannot be read: Permission denied; make it readable (chmod u+r), or move it away"
    )


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_a_file_gets_the_permissions_that_the_umask_allows(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        write_bytes(tmp_path / "out", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "out").stat().st_mode & 0o777 == mode


def test_a_file_whose_size_the_system_does_not_say_is_read_whole() -> None:
    assert read_file(Path("/proc/self/status")).startswith(b"Name:")
    assert read_file(Path("/proc/self/status")).endswith(b"\n")
