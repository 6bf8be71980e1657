"""The history of the project: the manifests of all commits, and the objects that their `dvc.lock` names."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from exemplars.audit.dvc_cache import Output, locate_object, read_dir_manifest
from exemplars.audit.git_history import read_versions
from exemplars.audit.revisions import Revision, list_revisions
from exemplars.audit.verification.checks import Check, build_diagnostic, shorten_hash
from exemplars.audit.verification.dir_manifests import fetch_missing, hash_git_folder, list_git_objects
from exemplars.audit.verification.hashes import hash_dir_manifest, hash_files, hash_md5, hash_md5_file
from exemplars.audit.verification.runs import check_run_rows, check_weights, decode_manifest
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.models.run_manifest import ROWS, WEIGHTS, Manifest

_FIX: Final = "`dvc fetch --all-commits` fetches it again"


class _Object(NamedTuple):
    """An output, and the newest revision whose `dvc.lock` names it."""

    output: Output
    revision: Revision

    @property
    def place(self) -> str:
        """The object's place in a message."""
        return f"{self.output.path} at {self.revision.name}"


class _Objects(NamedTuple):
    """The outputs of all commits, each version once."""

    cached: dict[str, _Object]
    """Those that DVC keeps, by MD5."""
    tracked: list[_Object]
    """Those with `cache: false`, which git keeps."""


def check_history(root: Path, fetch: bool) -> list[Check]:
    """Hash every output that a commit's `dvc.lock` names, and check every commit's manifests.

    fetch: fetch the objects that are not in the cache from the remote first. Raises `UserError` if the remote
    does not answer.
    """
    revisions = list_revisions(root)
    problems: list[Diagnostic] = []
    objects = _collect_objects(revisions, problems)
    if fetch:
        fetch_missing(root, [md5 for md5 in objects.cached if md5.endswith(".dir")])
    for folder in list(objects.cached.values()):
        for entry in _list_entries(root, folder, problems):
            objects.cached.setdefault(entry.md5, folder._replace(output=entry))
    if fetch:
        fetch_missing(root, objects.cached)
    present, damaged = _check_cached(root, objects.cached)
    problems += [*damaged, *_check_tracked(objects.tracked)]
    missing = len(objects.cached) - present
    where = "neither in the cache nor on the remote" if fetch else "not in the cache; --fetch fetches them"
    counted = f"{present:,} in the cache, {len(objects.tracked):,} in git, of {len(revisions)} commits"
    notes = (f"{missing:,} are {where}",) if missing else ()
    return [Check("outputs", counted, tuple(problems), notes), check_committed_manifests(root)]


def check_committed_manifests(root: Path) -> Check:
    """Check every run manifest that git has ever had, and its rows and weights if they are in the cache."""
    problems: list[Diagnostic] = []
    notes: list[str] = []
    manifests = list(read_versions(root, f"{layout.MODELS}/*/manifest.json"))
    for commit, _, path, data in manifests:
        place = f"{path} at {commit[:12]}"
        manifest = decode_manifest(place, data)
        if isinstance(manifest, Diagnostic):
            problems.append(manifest)
            continue
        folder = path.rpartition("/")[0]
        outputs = _read_outputs(Revision(root, commit[:12], commit))
        rows = _find_cached(root, outputs.get(f"{folder}/{ROWS}"))
        if rows is None:
            notes.append(f"{manifest.run}: rows not in the cache")
        else:
            rows_place = f"{folder}/{ROWS} at {commit[:12]}"
            problems += check_run_rows(place, rows_place, manifest, rows.read_bytes())
        problems += _check_cached_weights(root, outputs.get(f"{folder}/{WEIGHTS}"), place, manifest, notes)
    counted = f"{len(manifests)} manifest(s) of commits read"
    return Check("history", counted, tuple(problems), tuple(dict.fromkeys(notes)))


def _collect_objects(revisions: Iterable[Revision], problems: list[Diagnostic]) -> _Objects:
    """Collect the outputs of all revisions; add a problem for each `dvc.lock` that cannot be read."""
    cached: dict[str, _Object] = {}
    tracked: dict[tuple[str, str], _Object] = {}
    for revision in revisions:
        git_objects = list_git_objects(revision)
        try:
            for output in revision.outputs.values():
                if output.path in git_objects:
                    key = output.md5, git_objects[output.path]
                    tracked.setdefault(key, _Object(output, revision))
                else:
                    cached.setdefault(output.md5, _Object(output, revision))
        except UserError as error:
            problems += error.diagnostics
    return _Objects(cached, list(tracked.values()))


def _read_outputs(revision: Revision) -> Mapping[str, Output]:
    try:
        return revision.outputs
    except UserError:
        return {}  # `_collect_objects` reports it.


def _find_cached(root: Path, output: Output | None) -> Path | None:
    if output is None or not (path := locate_object(root, output.md5)).is_file():
        return None
    return path


def _list_entries(root: Path, folder: _Object, problems: list[Diagnostic]) -> list[Output]:
    """List the files of a folder whose dir manifest is in the cache; of anything else, none."""
    output = folder.output
    if not output.is_folder or (path := _find_cached(root, output)) is None:
        return []
    try:
        return [Output(f"{output.path}/{entry.path}", entry.md5) for entry in read_dir_manifest(path)]
    except (ValueError, KeyError, TypeError):
        expected = f"the dir manifest {shorten_hash(output.md5)}"
        problems.append(build_diagnostic(folder.place, "damaged_object", "no list of files", expected, _FIX))
        return []


def _check_cached(root: Path, objects: Mapping[str, _Object]) -> tuple[int, list[Diagnostic]]:
    """Count the objects in the cache, and find those whose content does not have the hash in their name."""
    paths = {md5: path for md5 in objects if (path := locate_object(root, md5)).is_file()}
    hashes = hash_files(paths.values(), hash_md5_file)
    problems = []
    for md5, path in sorted(paths.items()):
        current = hashes[path]
        if current != md5.removesuffix(".dir"):
            found = "no readable file" if current is None else f"an object with MD5 {shorten_hash(current)}"
            fix = f"delete .dvc/cache/files/md5/{md5[:2]}/{md5[2:]}; {_FIX}"
            problems.append(
                build_diagnostic(objects[md5].place, "damaged_object", found, shorten_hash(md5), fix)
            )
    return len(paths), problems


def _check_tracked(objects: Sequence[_Object]) -> Iterator[Diagnostic]:
    """Find outputs with `cache: false` that differ from the `dvc.lock` of the same commit."""
    for tracked in objects:
        output, revision = tracked.output, tracked.revision
        if output.is_folder:
            current = hash_dir_manifest(hash_git_folder(revision.root, str(revision.commit), output.path))
        else:
            current = hash_md5(revision.read_file(output.path) or b"")
        if current != output.md5:
            expected = f"{shorten_hash(output.md5)} (recorded in that commit's dvc.lock)"
            fix = "commit the outputs of `dvc repro` together with dvc.lock"
            yield build_diagnostic(
                tracked.place, "changed_file", f"MD5 {shorten_hash(current)}", expected, fix
            )


def _check_cached_weights(
    root: Path, output: Output | None, place: str, manifest: Manifest, notes: list[str]
) -> Iterator[Diagnostic]:
    """Check the weights of an older run, if all of its files are in the cache. place: of the manifest."""
    listing = _find_cached(root, output)
    if listing is None:
        notes.append(f"{manifest.run}: weights not in the cache")
        return
    try:
        files = {entry.path: _find_cached(root, entry) for entry in read_dir_manifest(listing)}
    except (ValueError, KeyError, TypeError):
        return  # `_list_entries` reports it.
    if None in files.values():
        notes.append(f"{manifest.run}: weights not all in the cache")
        return
    with tempfile.TemporaryDirectory() as folder:
        for path, file in files.items():
            is_inside = not path.startswith("/") and ".." not in path.split("/")
            if file is not None and is_inside:
                link = Path(folder, path)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(file.resolve())
        yield from check_weights(f"the weights of {place}", manifest, Path(folder))
