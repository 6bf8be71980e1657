"""The commits before: their manifests, and the objects that their `dvc.lock` names."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from exemplars.audit.revisions import (
    Output,
    Revision,
    cached_object,
    folder_entries,
    git,
    git_bytes,
    revisions_with_lock,
)
from exemplars.audit.verification.checks import Check, problem, short
from exemplars.audit.verification.dir_manifests import blobs, fetch_missing, tracked_files
from exemplars.audit.verification.hashes import file_digests, listing_md5
from exemplars.audit.verification.runs import decoded_manifest, row_problems, weight_problem
from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.models.run_manifest import ROWS, WEIGHTS, Manifest

_FIX: Final = "`dvc fetch --all-commits` brings it anew"


class _Object(NamedTuple):
    """An output, and the newest revision whose `dvc.lock` names it."""

    output: Output
    revision: Revision

    @property
    def place(self) -> str:
        """How it is called in a message."""
        return f"{self.output.path} at {self.revision.name}"


def check_past(root: Path, fetching: bool) -> list[Check]:
    """Hash every output that a commit's `dvc.lock` names, and hold every commit's manifests to their rows.

    fetching: whether what the cache lacks is fetched from the remote. Raises `UserError` where that does
    not answer.
    """
    revisions = revisions_with_lock(root)
    problems: list[Diagnostic] = []
    cached: dict[str, _Object] = {}
    tracked: dict[tuple[str, str], _Object] = {}
    for revision in revisions:
        names = tracked_files(revision)
        try:
            for out in revision.outputs.values():
                one = _Object(out, revision)
                if out.path in names:  # `cache: false`
                    tracked.setdefault((out.md5, names[out.path]), one)
                else:
                    cached.setdefault(out.md5, one)
        except UserError as error:
            problems += error.diagnostics
    if fetching:
        fetch_missing(root, [md5 for md5 in cached if md5.endswith(".dir")])
    for one in list(cached.values()):
        for entry in _entries(root, one, problems):
            cached.setdefault(entry.md5, one._replace(output=entry))
    if fetching:
        fetch_missing(root, cached)
    present, found = _hashed(root, cached)
    problems += [*found, *_other_in_git(tracked.values())]
    lacking = len(cached) - present
    hint = "neither in the cache nor on the remote" if fetching else "not in the cache: --fetch brings them"
    counted = f"{present:,} in the cache, {len(tracked):,} in git, of {len(revisions)} commits"
    notes = (f"{lacking:,} are {hint}",) if lacking else ()
    return [Check("outputs", counted, tuple(problems), notes), check_manifests(root)]


def check_manifests(root: Path) -> Check:
    """Every manifest that git ever held: its form, and its rows and weights as far as the cache has them."""
    problems: list[Diagnostic] = []
    notes: list[str] = []
    manifests = list(manifests_of(root))
    for commit, path, data in manifests:
        place = f"{path} at {commit[:12]}"
        manifest = decoded_manifest(place, data)
        if isinstance(manifest, Diagnostic):
            problems.append(manifest)
            continue
        folder = path.rpartition("/")[0]
        revision = Revision(root, commit[:12], commit)
        try:
            outputs = revision.outputs
        except UserError:
            outputs = {}
        rows = _cached(root, outputs.get(f"{folder}/{ROWS}"))
        if rows is None:
            notes.append(f"the rows of {manifest.run} are not in the cache")
        else:
            problems += row_problems(place, f"{folder}/{ROWS} at {commit[:12]}", manifest, rows.read_bytes())
        problems += _weights(root, outputs.get(f"{folder}/{WEIGHTS}"), place, manifest, notes)
    counted = f"{len(manifests)} manifest(s) of commits read"
    return Check("history", counted, tuple(problems), tuple(dict.fromkeys(notes)))


def manifests_of(root: Path) -> Iterator[tuple[str, str, bytes]]:
    """Each version of each run manifest that git holds: commit, path, bytes."""
    pattern = f"{layout.MODELS}/*/manifest.json"
    log = git(root, "log", "--all", "--format=%x00%H", "--name-only", "--diff-filter=AM", "--", pattern)
    for entry in (log or "").split("\0")[1:]:
        commit, *paths = [line for line in entry.splitlines() if line]
        for path in paths:
            if (data := git_bytes(root, "show", f"{commit}:{path}")) is not None:
                yield commit, path, data


def _cached(root: Path, output: Output | None) -> Path | None:
    if output is None or not (place := cached_object(root, output.md5)).is_file():
        return None
    return place


def _entries(root: Path, one: _Object, problems: list[Diagnostic]) -> list[Output]:
    out = one.output
    if not out.is_folder or (listing := _cached(root, out)) is None:
        return []
    try:
        return [Output(f"{out.path}/{entry.path}", entry.md5) for entry in folder_entries(listing)]
    except (ValueError, KeyError, TypeError):
        problems.append(problem(one.place, "damaged_object", "no list of files", out.md5, _FIX))
        return []


def _hashed(root: Path, objects: Mapping[str, _Object]) -> tuple[int, list[Diagnostic]]:
    """How many of the objects the cache has, and those whose bytes are not those of their names."""
    places = {md5: place for md5 in objects if (place := cached_object(root, md5)).is_file()}
    digests = file_digests(places.values(), "md5")
    problems = []
    for md5, place in sorted(places.items()):
        now = digests[place]
        if now != md5.removesuffix(".dir"):
            found = "no file that can be read" if now is None else f"an object with md5 {short(now)}"
            name = f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}"
            problems.append(
                problem(objects[md5].place, "damaged_object", found, short(md5), f"delete {name}; {_FIX}")
            )
    return len(places), problems


def _other_in_git(objects: Iterable[_Object]) -> Iterator[Diagnostic]:
    """The outputs of `cache: false` that a commit holds in another form than its `dvc.lock` says."""
    for one in objects:
        out, revision = one.output, one.revision
        if out.is_folder:
            now = listing_md5(blobs(revision.root, str(revision.commit), out.path))
        else:
            data = revision.file(out.path) or b""
            now = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if now != out.md5:
            expected = f"{short(out.md5)} of that commit's dvc.lock"
            fix = "commit what `dvc repro` writes together with dvc.lock"
            yield problem(one.place, "changed_file", f"md5 {short(now)}", expected, fix)


def _weights(
    root: Path, output: Output | None, place: str, manifest: Manifest, notes: list[str]
) -> Iterator[Diagnostic]:
    """The weights of an older run, from the cache, in the form that they had."""
    listing = _cached(root, output)
    if listing is None:
        notes.append(f"the weights of {manifest.run} are not in the cache")
        return
    try:
        entries = {one.path: _cached(root, one) for one in folder_entries(listing)}
    except (ValueError, KeyError, TypeError):
        return  # The object is named by its hash.
    if None in entries.values():
        notes.append(f"the weights of {manifest.run} are not all in the cache")
        return
    with tempfile.TemporaryDirectory() as folder:
        for path, file in entries.items():
            if "/" not in path and file is not None:
                (Path(folder) / path).symlink_to(file.resolve())
        yield from weight_problem(f"the weights of {place}", manifest, Path(folder))
