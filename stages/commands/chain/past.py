"""The commits before: their manifests, and the objects that their `dvc.lock` names."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from stages.commands.chain.checks import Check, problem, short
from stages.commands.chain.hashes import file_digests
from stages.commands.chain.runs import decoded_manifest, row_problems, weight_problem
from stages.commands.history import (
    Output,
    Revision,
    cached_object,
    fetch,
    folder_entries,
    git,
    git_bytes,
    revisions_with_lock,
)
from stages.core import layout
from stages.core.errors import Diagnostic, UserError
from stages.core.runs import ROWS, WEIGHTS, Manifest


class _Object(NamedTuple):
    """An object of DVC's cache, and the newest revision that names it."""

    output: Output
    revision: str


def check_past(root: Path, fetching: bool) -> list[Check]:
    """Hash every object that a commit's `dvc.lock` names, and hold every commit's manifests to their rows.

    fetching: whether what the cache lacks is fetched from the remote.
    """
    revisions = revisions_with_lock(root)
    problems: list[Diagnostic] = []
    objects: dict[str, _Object] = {}
    for revision in revisions:
        try:
            for out in revision.outputs.values():
                objects.setdefault(out.md5, _Object(out, revision.name))
        except UserError as error:
            problems += error.diagnostics
    for one in list(objects.values()):
        if fetching and one.output.is_folder and not cached_object(root, one.output.md5).is_file():
            fetch(root, [one.output.md5])
        for entry in _entries(root, one.output, problems, one.revision):
            objects.setdefault(entry.md5, _Object(entry, one.revision))
    if fetching:
        fetch(root, [md5 for md5 in objects if not cached_object(root, md5).is_file()])
    cached, found = _hashed(root, objects)
    problems += found
    inside, found = _in_git(root, [one for md5, one in objects.items() if md5 not in cached])
    problems += found
    lacking = len(objects) - len(cached) - inside
    notes = [f"{lacking:,} are not in the cache: --fetch brings them"] if lacking else []
    counted = f"{len(cached):,} in the cache, {inside:,} in git, of {len(revisions)} commits"
    return [Check("objects", counted, tuple(problems), tuple(notes)), check_manifests(root)]


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
            problems += row_problems(place, manifest, rows.read_bytes())
        problems += _weights(root, outputs.get(f"{folder}/{WEIGHTS}"), place, manifest, notes)
    counted = f"{len(manifests)} manifests of older commits read"
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


def _entries(root: Path, out: Output, problems: list[Diagnostic], revision: str) -> list[Output]:
    if not out.is_folder or (listing := _cached(root, out)) is None:
        return []
    try:
        return [Output(f"{out.path}/{one.path}", one.md5) for one in folder_entries(listing)]
    except (ValueError, KeyError, TypeError):
        place = f"{out.path} at {revision}"
        problems.append(problem(place, "damaged_object", "no list of files", out.md5, "`dvc fetch` it anew"))
        return []


def _hashed(root: Path, objects: dict[str, _Object]) -> tuple[set[str], list[Diagnostic]]:
    """The objects that the cache has, and those whose bytes are not those of their names."""
    places = {md5: place for md5 in objects if (place := cached_object(root, md5)).is_file()}
    digests = file_digests(places.values(), "md5")
    problems = []
    for md5, place in sorted(places.items()):
        now = digests[place]
        if now != md5.removesuffix(".dir"):
            one = objects[md5]
            name = f"{one.output.path} at {one.revision}"
            found = "no file that can be read" if now is None else f"an object with md5 {short(now)}"
            fix = f"delete {place.relative_to(root) if place.is_relative_to(root) else place}, `dvc fetch` it"
            problems.append(problem(name, "damaged_object", found, short(md5), fix))
    return set(places), problems


def _in_git(root: Path, objects: Iterable[_Object]) -> tuple[int, list[Diagnostic]]:
    """How many of the objects git holds (`cache: false`), and those of them that are other ones."""
    count, problems = 0, []
    for one in objects:
        if one.output.is_folder:
            continue
        data = git_bytes(root, "show", f"{one.revision}:{one.output.path}")
        if data is None:
            continue
        count += 1
        if (now := hashlib.md5(data, usedforsecurity=False).hexdigest()) != one.output.md5:
            name = f"{one.output.path} at {one.revision}"
            expected = f"{short(one.output.md5)} of that commit's dvc.lock"
            fix = "the commit holds a file that `dvc repro` did not write: commit what it wrote"
            problems.append(problem(name, "changed_file", f"md5 {short(now)}", expected, fix))
    return count, problems


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
