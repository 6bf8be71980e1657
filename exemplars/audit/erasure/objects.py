"""The objects in DVC's cache and remote, by hash, and the revisions that need them."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from exemplars.audit.dvc_cache import Output, describe_shared_cache, parse_dir_manifest
from exemplars.audit.git_history import run_git
from exemplars.audit.revisions import WORKSPACE, Revision, list_revisions
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

    def find_object(self, md5: str) -> bytes | None:
        """Read an object; `None` if the store does not have it. Raises `UserError` if the store cannot be read."""
        with _report_failures(self.name):
            exists = self.fs.exists(self._locate(md5))
        return self.read_object(md5) if exists else None

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
    shared: str = ""
    """Why other clones may need objects of the cache; empty if it is this clone's own."""

    @property
    def present(self) -> tuple[Store, ...]:
        """The cache, then the remote."""
        return (self.cache,) if self.remote is None else (self.cache, self.remote)


@contextmanager
def open_stores(root: Path, remote: str | None) -> Iterator[Stores]:
    """Open the cache and the remote, and hold DVC's lock while the block runs.

    remote: its name; `None` for the default remote, if there is one.
    Raises `UserError` if another DVC command or a stage is running, or if there is no such remote.
    """
    from dvc.lock import LockError
    from dvc.repo import Repo

    with _report_failures("DVC"):
        repo = Repo(str(root))
    try:
        check_idle(root)  # A stage that ends now needs the lock: do not take it.
        try:
            repo.lock.lock()
        except LockError:
            raise UserError([_report_busy("another DVC command holds the lock")]) from None
        try:
            check_idle(root)
            cache = Store("the cache", repo.cache.local.fs, repo.cache.local.path)
            yield Stores(cache, _open_remote(repo, remote), describe_shared_cache(root))
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


def find_needed_objects(root: Path, stores: Stores) -> dict[str, dict[str, list[str]]]:
    """Find the objects that revisions need: by hash and revision, the paths that the object has there.

    The workspace is one of the revisions. Raises `UserError` if a store cannot be read.
    """
    needed: dict[str, dict[str, list[str]]] = {}
    folders: dict[str, list[Output]] = {}  # Revisions have most folders in common.
    for revision in (Revision(root, WORKSPACE, None), *list_revisions(root, "*.dvc")):
        for output in _list_outputs(root, revision, stores, folders):
            needed.setdefault(output.md5, {}).setdefault(revision.name, []).append(output.path)
    return needed


def _list_outputs(
    root: Path, revision: Revision, stores: Stores, folders: dict[str, list[Output]]
) -> Iterator[Output]:
    """List what a revision has in the cache: outputs of stages, files added by `dvc add`, files in folders."""
    try:
        outputs = list(revision.outputs.values())
    except UserError:
        outputs = []
    outputs += _list_added(root, revision)
    for output in outputs:
        yield output
        if output.is_folder:
            if output.md5 not in folders:
                folders[output.md5] = _list_folder(output.md5, stores)
            for entry in folders[output.md5]:
                yield Output(f"{output.path}/{entry.path}", entry.md5)


def _list_folder(md5: str, stores: Stores) -> list[Output]:
    """List the files of a folder by its `.dir` object in any store; none if no store has it."""
    found = (store.find_object(md5) for store in stores.present)
    data = next((data for data in found if data is not None), None)
    return [] if data is None else parse_dir_manifest(data)


def _list_added(root: Path, revision: Revision) -> Iterator[Output]:
    """List what `dvc add` tracks, in `*.dvc` files."""
    for name in _list_added_names(root, revision):
        if data := revision.read_file(name):
            for output in yaml.safe_load(data).get("outs", []):
                yield Output((Path(name).parent / output["path"]).as_posix(), output.get("md5", ""))


def _list_added_names(root: Path, revision: Revision) -> list[str]:
    """List the `*.dvc` files that git tracks at a revision; in the workspace, also those that it may track."""
    command = (
        ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        if revision.commit is None
        else ("ls-tree", "-r", "-z", "--name-only", revision.commit)
    )
    names = (run_git(root, *command) or "").split("\0")
    return sorted({name for name in names if name.endswith(".dvc")})


def check_idle(root: Path) -> None:
    """Raise `UserError` if a stage is running: DVC releases its lock then, and notes the stage's files.

    A stage that was started by hand, or whose DVC was killed, is seen by its process.
    """
    import psutil

    holders = _read_holders(root / ".dvc" / "tmp")
    running = {holder["pid"]: holder["cmd"] for holder in holders if psutil.pid_exists(holder["pid"])}
    running.pop(os.getpid(), None)
    for process in psutil.process_iter(["pid", "cmdline", "cwd"]) if not running else ():
        command = process.info["cmdline"] or []
        if _is_stage(command) and process.info["cwd"] == str(root.resolve()):
            running[process.pid] = " ".join(command)
    for pid, command in running.items():
        raise UserError([_report_busy(f"`{command}` (process {pid}) is running")])


def _read_holders(folder: Path) -> list[dict[str, Any]]:
    """Read from DVC's rwlock who reads or writes which files. folder: `.dvc/tmp`."""
    from dvc.rwlock import RWLOCK_FILE, SCHEMA
    from voluptuous import Invalid

    path = folder / RWLOCK_FILE
    try:
        locks = SCHEMA(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return []
    except (ValueError, Invalid):
        raise UserError([_report_damaged_rwlock(path)]) from None
    return [*locks["write"].values(), *(holder for holders in locks["read"].values() for holder in holders)]


def _is_stage(command: list[str]) -> bool:
    """Check whether a command line runs a stage, as in `python -m stages.ingest sgd`."""
    pairs = itertools.pairwise(command)
    return any(option == "-m" and name.split(".")[0] == "stages" for option, name in pairs)


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


def _report_damaged_rwlock(path: Path) -> Diagnostic:
    return Diagnostic(
        path=path.as_posix(),
        code="damaged_lock",
        found="a damaged file, as after a crash",
        expected="the files that DVC's stages read and write now, as JSON",
        fix="if no DVC command is running, delete it, then run again",
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
