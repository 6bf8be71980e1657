"""The objects in DVC's cache and remote, by hash, and the revisions that need them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from exemplars.audit.revisions import (
    WORKSPACE,
    Output,
    Revision,
    list_revisions,
    locate_object,
    read_dir_manifest,
    run_git,
)
from exemplars.core.errors import Diagnostic, UserError


class Store(NamedTuple):
    """A place that holds objects: the cache, or a remote."""

    name: str
    fs: Any
    """A file system of `dvc_objects`: local, S3, or any other that DVC supports."""
    path: str
    """The folder of the objects: each is at `xx/yyyy…` below it, by its MD5."""

    def list_objects(self) -> list[str]:
        """List the hashes of all objects, sorted. Raises `UserError` if the store cannot be read."""
        with _report_failures(self.name):
            hashes = map(_parse_hash, self._list_files(self.path))
            return sorted(md5 for md5 in hashes if len(md5) >= 32)

    def read_object(self, md5: str) -> bytes:
        """Read an object. Raises `UserError` if the store cannot be read."""
        with _report_failures(self.name), self.fs.open(self._locate(md5), "rb") as file:
            return bytes(file.read())

    def remove_object(self, md5: str) -> None:
        """Remove an object, if it is still there. Raises `UserError` if the store cannot be changed."""
        with _report_failures(self.name):
            place = self._locate(md5)
            if self.fs.exists(place):
                self.fs.remove(place)

    def list_run_cache(self) -> list[str]:
        """List the files of DVC's run-cache; they hold hashes only."""
        with _report_failures(self.name):
            return self._list_files(self.fs.join(*self.fs.parts(self.path)[:-2], "runs"))

    def _list_files(self, path: str) -> list[str]:
        return list(self.fs.find(path)) if self.fs.exists(path) else []

    def _locate(self, md5: str) -> str:
        return str(self.fs.join(self.path, md5[:2], md5[2:]))


class Stores(NamedTuple):
    """The stores of a project."""

    cache: Store
    remote: Store | None
    """`None` if the project has no remote."""

    @property
    def present(self) -> tuple[Store, ...]:
        """The cache, then the remote."""
        return (self.cache,) if self.remote is None else (self.cache, self.remote)


@contextmanager
def open_stores(root: Path, remote: str | None) -> Iterator[Stores]:
    """Open the cache and the remote, and hold DVC's lock while the block runs.

    remote: its name; `None` for the default remote, if there is one.
    Raises `UserError` if another DVC command is running, or if there is no such remote.
    """
    from dvc.lock import LockError
    from dvc.repo import Repo

    with _report_failures("DVC"):
        repo = Repo(str(root))
    try:
        try:
            repo.lock.lock()
        except LockError:
            raise UserError([_report_busy("another DVC command holds the lock")]) from None
        try:
            _check_idle(root)
            cache = Store("the cache", repo.cache.local.fs, repo.cache.local.path)
            yield Stores(cache, _open_remote(repo, remote))
        finally:
            repo.lock.unlock()
    finally:
        repo.close()


def _open_remote(repo: Any, name: str | None) -> Store | None:
    from dvc.config import NoRemoteError

    with _report_failures("the DVC remote"):
        try:
            odb = repo.cloud.get_remote_odb(name=name)
        except NoRemoteError:
            if name is None:
                return None
            raise
    return Store(f"the remote {name or repo.config['core'].get('remote')}", odb.fs, odb.path)


def find_needed_objects(root: Path) -> dict[str, dict[str, list[str]]]:
    """Find the objects that revisions need: by hash and revision, the paths that the object has there.

    The workspace is one of the revisions.
    """
    needed: dict[str, dict[str, list[str]]] = {}
    for revision in (Revision(root, WORKSPACE, None), *list_revisions(root)):
        for output in _list_outputs(root, revision):
            needed.setdefault(output.md5, {}).setdefault(revision.name, []).append(output.path)
    return needed


def _list_outputs(root: Path, revision: Revision) -> Iterator[Output]:
    """List what a revision has in the cache: outputs of stages, files added by `dvc add`, files in folders."""
    try:
        outputs = list(revision.outputs.values())
    except UserError:
        outputs = []
    outputs += _list_added(root, revision)
    for output in outputs:
        yield output
        listing = locate_object(root, output.md5)
        if output.is_folder and listing.is_file():
            for entry in read_dir_manifest(listing):
                yield Output(f"{output.path}/{entry.path}", entry.md5)


def _list_added(root: Path, revision: Revision) -> Iterator[Output]:
    """List what `dvc add` tracks, in `*.dvc` files."""
    names = run_git(root, "ls-tree", "-r", "--name-only", revision.commit or "HEAD") or ""
    for name in names.splitlines():
        if name.endswith(".dvc") and (data := revision.read_file(name)):
            for output in yaml.safe_load(data).get("outs", []):
                yield Output((Path(name).parent / output["path"]).as_posix(), output.get("md5", ""))


def _check_idle(root: Path) -> None:
    """Raise `UserError` if a stage is running: DVC releases its lock then, and notes the stage's files."""
    path = root / ".dvc" / "tmp" / "rwlock"
    try:
        locks = json.loads(path.read_bytes()) if path.exists() else {}
    except ValueError:
        locks = {}
    for lock in locks.values():
        for holder in (*lock.get("read", []), *([lock["write"]] if lock.get("write") else [])):
            if Path(f"/proc/{holder['pid']}").exists():
                summary = f"`{holder['cmd']}` (process {holder['pid']}) is running"
                raise UserError([_report_busy(summary)])


@contextmanager
def _report_failures(name: str) -> Iterator[None]:
    """Turn whatever a store raises into a `UserError`: each kind of remote has its own exceptions."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError([_report_unreachable(name, str(error) or type(error).__name__)]) from error


def _parse_hash(path: str) -> str:
    first, second = path.replace("\\", "/").split("/")[-2:]
    return first + second


def _report_busy(summary: str) -> Diagnostic:
    return Diagnostic(
        path="the project",
        code="busy",
        found="another command at work",
        expected="no other command that reads or writes the project",
        fix="wait for it to finish, then run again",
        summary=summary,
    )


def _report_unreachable(name: str, error: str) -> Diagnostic:
    first_line = error.splitlines()[0]
    return Diagnostic(
        path=name,
        code="store_unreachable",
        found=first_line,
        expected="a store that answers",
        fix="check `dvc remote list`, the network and your credentials; this step removed nothing",
        summary=f"access failed: {first_line}",
    )
