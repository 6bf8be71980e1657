"""The objects of DVC's cache and remote, by their hashes, and which revisions need them."""

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
    cached_object,
    folder_entries,
    git,
    revisions_with_lock,
)
from exemplars.core.errors import Diagnostic, UserError


class Store(NamedTuple):
    """A place with objects: the cache, or a remote."""

    name: str
    fs: Any
    """Of `dvc_objects`, the same for a folder and for S3."""
    path: str
    """Where the objects stand: `xx/yyyy…` below it, by their MD5."""

    def objects(self) -> list[str]:
        """The hashes of all objects. Raises `UserError` where the place does not answer."""
        with _told(self.name):
            return sorted(_hash(one) for one in self._files(self.path) if len(_hash(one)) >= 32)

    def read(self, md5: str) -> bytes:
        """The bytes of an object."""
        with _told(self.name), self.fs.open(self._place(md5), "rb") as file:
            return bytes(file.read())

    def remove(self, md5: str) -> None:
        """Remove an object; one that is gone already is no mistake."""
        with _told(self.name):
            place = self._place(md5)
            if self.fs.exists(place):
                self.fs.remove(place)

    def remembered(self) -> list[str]:
        """The files of the run-cache, which hold hashes alone."""
        with _told(self.name):
            return self._files(self.fs.join(*self.fs.parts(self.path)[:-2], "runs"))

    def _files(self, path: str) -> list[str]:
        return list(self.fs.find(path)) if self.fs.exists(path) else []

    def _place(self, md5: str) -> str:
        return str(self.fs.join(self.path, md5[:2], md5[2:]))


@contextmanager
def stores(root: Path, remote: str | None) -> Iterator[tuple[Store, Store | None]]:
    """The cache and the remote, held by DVC's lock while the block runs.

    remote: its name; null: the default one, where there is one.
    Raises `UserError` where another command runs, or where there is no such remote.
    """
    from dvc.lock import LockError
    from dvc.repo import Repo

    with _told("DVC"):
        repo = Repo(str(root))
    try:
        try:
            repo.lock.lock()
        except LockError:
            raise UserError([_busy("another DVC command")]) from None
        try:
            _check_idle(root)
            yield Store("the cache", repo.cache.local.fs, repo.cache.local.path), _remote(repo, remote)
        finally:
            repo.lock.unlock()
    finally:
        repo.close()


def _remote(repo: Any, name: str | None) -> Store | None:
    from dvc.config import NoRemoteError

    with _told("the DVC remote"):
        try:
            odb = repo.cloud.get_remote_odb(name=name)
        except NoRemoteError:
            if name is None:
                return None
            raise
    return Store(f"the remote {name or repo.config['core'].get('remote')}", odb.fs, odb.path)


def needs(root: Path) -> dict[str, dict[str, list[str]]]:
    """For each object that a revision needs: the revisions, the workspace among them, and its paths there."""
    found: dict[str, dict[str, list[str]]] = {}
    for revision in (Revision(root, WORKSPACE, None), *revisions_with_lock(root)):
        for output in _outputs(root, revision):
            found.setdefault(output.md5, {}).setdefault(revision.name, []).append(output.path)
    return found


def _outputs(root: Path, revision: Revision) -> Iterator[Output]:
    """All that a revision has in the cache: outputs of stages, files that `dvc add` tracks, what folders hold."""
    try:
        outputs = list(revision.outputs.values())
    except UserError:
        outputs = []
    outputs += _added(root, revision)
    for output in outputs:
        yield output
        listing = cached_object(root, output.md5)
        if output.is_folder and listing.is_file():
            for entry in folder_entries(listing):
                yield Output(f"{output.path}/{entry.path}", entry.md5)


def _added(root: Path, revision: Revision) -> Iterator[Output]:
    names = git(root, "ls-tree", "-r", "--name-only", revision.commit or "HEAD") or ""
    for name in names.splitlines():
        if name.endswith(".dvc") and (data := revision.file(name)):
            for out in yaml.safe_load(data).get("outs", []):
                yield Output((Path(name).parent / out["path"]).as_posix(), out.get("md5", ""))


def _check_idle(root: Path) -> None:
    """Raise `UserError` while a stage runs: DVC lets its lock go for that, and remembers the stage's files."""
    path = root / ".dvc" / "tmp" / "rwlock"
    try:
        held = json.loads(path.read_bytes()) if path.exists() else {}
    except ValueError:
        held = {}
    for file in held.values():
        for one in (*file.get("read", []), *([file["write"]] if file.get("write") else [])):
            if Path(f"/proc/{one['pid']}").exists():
                raise UserError([_busy(f"`{one['cmd']}` (process {one['pid']})")])


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Whatever a store raises becomes a sentence: each kind of remote has errors of its own."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError([_unreachable(name, str(error) or type(error).__name__)]) from error


def _hash(place: str) -> str:
    first, second = place.replace("\\", "/").split("/")[-2:]
    return first + second


def _busy(found: str) -> Diagnostic:
    return Diagnostic(
        path="the project",
        code="busy",
        found=f"{found} at work",
        expected="nothing else that reads or writes it",
        fix="wait for its end, then run the same command again",
    )


def _unreachable(name: str, found: str) -> Diagnostic:
    return Diagnostic(
        path=name,
        code="store_unreachable",
        found=found.splitlines()[0],
        expected="a store that answers",
        fix="check `dvc remote list`, the network and your credentials; nothing was removed by this step",
    )
