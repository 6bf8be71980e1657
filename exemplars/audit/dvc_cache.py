"""DVC's cache and remote: where objects are, what a folder's object lists, and fetching what is missing."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from exemplars.core.errors import Diagnostic, UserError


class Output(NamedTuple):
    """A dependency or output of a stage, as `dvc.lock` names it."""

    path: str
    """Relative to the project's root, with `/`."""
    md5: str
    """DVC's hash of the content; of a folder it ends in `.dir`."""

    @property
    def is_folder(self) -> bool:
        """Whether the output is a folder."""
        return self.md5.endswith(".dir")


def find_cache_folder(root: Path) -> Path:
    """Return DVC's cache folder, as `dvc cache dir` prints it.

    The system, global, repository and local configuration count, in DVC's order. They are read once per process.
    Raises `UserError` if the configuration is damaged.
    """
    return _read_cache_folder(root.resolve())


@lru_cache(maxsize=16)
def _read_cache_folder(root: Path) -> Path:
    config = _read_dvc_config(root)
    # `cache.local` names a remote that serves as the cache. DVC resolves a relative path from the folder of the
    # configuration file that it is in.
    shared = config["remote"].get(config["cache"].get("local"), {}).get("url")
    return Path(shared or config["cache"].get("dir") or root / ".dvc" / "cache")


def describe_shared_cache(root: Path) -> str:
    """Describe why other clones may use DVC's cache, as the end of a sentence; empty if it is this clone's own.

    Raises `UserError` if the configuration is damaged.
    """
    folder = find_cache_folder(root).resolve()
    if not folder.is_relative_to(root.resolve()):
        return f"it is outside of the project, at {folder}"
    if _read_dvc_config(root)["cache"].get("shared") == "group":
        return "DVC's setting cache.shared is `group`"
    return ""


def locate_object(root: Path, md5: str) -> Path:
    """Return the path at which DVC's cache keeps an object, whether it is there or not."""
    return find_cache_folder(root) / "files" / "md5" / md5[:2] / md5[2:]


def read_dir_manifest(manifest: Path) -> list[Output]:
    """List the files of a folder from its `.dir` object in the cache; paths are relative to the folder."""
    return parse_dir_manifest(manifest.read_bytes())


def parse_dir_manifest(data: bytes) -> list[Output]:
    """Parse a `.dir` object: the files of a folder; paths are relative to the folder."""
    return [Output(entry["relpath"], entry["md5"]) for entry in json.loads(data)]


def fetch_objects(root: Path, hashes: Iterable[str]) -> None:
    """Fetch objects from the default remote into the cache; do nothing if no remote is configured.

    An object that the remote does not have is no error. Raises `UserError` if the remote does not answer.
    """
    if not _read_dvc_config(root)["core"].get("remote"):
        return  # The rest of DVC takes half a second to import.
    from dvc.repo import Repo
    from dvc_data.hashfile.hash_info import HashInfo

    logging.getLogger("dvc").setLevel(logging.CRITICAL)  # The caller reports what is missing.
    try:
        with Repo(str(root)) as repo:
            repo.cloud.pull({HashInfo("md5", md5) for md5 in hashes})
    except Exception as error:  # Every kind of remote has its own library and its own exceptions.
        raise _remote_down(error) from None


def fetch_missing_objects(root: Path, hashes: Iterable[str]) -> None:
    """Fetch those of the objects that the cache does not have; as `fetch_objects` otherwise."""
    if missing := [md5 for md5 in hashes if not locate_object(root, md5).is_file()]:
        fetch_objects(root, missing)


def _read_dvc_config(root: Path) -> dict[str, Any]:
    """Read the merged configuration of all levels, unvalidated: validation takes longer than all else."""
    from dvc.config import Config
    from dvc.exceptions import DvcException

    try:
        return dict(Config(dvc_dir=str(root.resolve() / ".dvc"), validate=False))
    except DvcException as error:
        found = " ".join(str(error).split())
        raise UserError(
            [
                Diagnostic(
                    path=".dvc/config",
                    code="unreadable_config",
                    found=found,
                    expected="a configuration that DVC can read",
                    fix="`dvc config --list --show-origin` names the file to correct",
                )
            ]
        ) from None


def _remote_down(error: Exception) -> UserError:
    return UserError(
        [
            Diagnostic(
                path="the DVC remote",
                code="remote_down",
                found=" ".join(str(error).split()) or type(error).__name__,
                expected="a remote that answers",
                fix="check `dvc remote list`, the network and your credentials",
            )
        ]
    )
