"""The sources of a revision, and the proof that a row's text is in its raw file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from exemplars.audit.dvc_cache import Output, locate_object, read_dir_manifest
from exemplars.audit.git_history import read_history, run_git, run_git_bytes
from exemplars.audit.revisions import LOCK, Revision
from exemplars.core.digests import hash_content
from exemplars.core.documents import decode_json
from exemplars.core.ids import split_locator
from exemplars.core.json_pointers import split_pointer
from exemplars.core.layout import normalize_folder
from exemplars.core.params import PATH as PARAMS
from exemplars.core.yaml_documents import YamlProblem, decode_yaml

_MAX_COMMITS: Final = 200
"""How many versions of a file are searched for the one that a row was made from."""
_MAX_TEXT: Final = 300
_PARQUET_MAGIC: Final = b"PAR1"


class Source(NamedTuple):
    """A source, as `params.yaml` declares it."""

    name: str
    folder: str
    """Relative to the project's root, with `/`; or a URL."""
    format: str
    license: str


def read_sources(revision: Revision) -> dict[str, Source]:
    """Read the sources from the revision's `params.yaml`; none if it is missing or unreadable."""
    try:
        declared = decode_yaml((revision.read_file(str(PARAMS)) or b"").decode("utf-8-sig"))["ingest"][
            "sources"
        ]
        return {
            name: Source(name, normalize_folder(entry["path"]), entry["format"], entry["license"])
            for name, entry in declared.items()
        }
    except (YamlProblem, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        return {}


class Evidence(NamedTuple):
    """What a row's raw file says, and whether it still is the file that the row was made from."""

    path: str
    locator: str
    sha256: str
    """The content hash of the file that the row was made from."""
    state: str
    """`same`: the file has this content hash; `changed`: it has a different one; `missing`: no file."""
    sha256_now: str | None
    commit: str | None
    """The git commit that introduced the version of the file that the row was made from."""
    dvc_md5: str | None
    """DVC's hash of the file, or of the folder that contains it, if git does not track the file."""
    text: str | None
    """The line, or the JSON value, of that version; `None` if that version is unavailable."""


def prove_origin(revision: Revision, source: Source | None, origin: Mapping[str, str]) -> Evidence:
    """Prove the origin of a row. source: `None` if the revision no longer declares it."""
    path = f"{source.folder}/{origin['path']}" if source else origin["path"]
    md5 = None
    data = revision.read_file(path)
    commit, version = _find_version(revision, path, origin["sha256"])
    if commit is None and source is not None:
        md5, cached = _find_in_dvc(revision, source, origin["path"])
        data = cached if data is None else data
    sha256_now = None if data is None else hash_content(data)
    state = "missing" if sha256_now is None else "same" if sha256_now == origin["sha256"] else "changed"
    original = data if state == "same" else version
    return Evidence(
        path,
        origin["locator"],
        origin["sha256"],
        state,
        sha256_now,
        commit,
        md5,
        None if original is None else extract_text(original, origin["locator"]),
    )


def extract_text(data: bytes, locator: str) -> str | None:
    """Extract the line (from 1) or the JSON value that a locator names, cut to a readable length.

    A JSON Pointer may go further than the value does, as those of expanded templates do: then it is the last value
    on the way. It goes through texts that are JSON. `None` if the line does not exist, or if the bytes are neither JSON
    nor Parquet.

    >>> extract_text(b'[{"turns": ["hello"]}]', "/0/turns")
    '["hello"]'
    >>> extract_text(b'{"a": 1}\\n{"messages": ["hi"]}', "2/messages/0")
    '"hi"'
    >>> extract_text(b'{"answer": "{\\\\"examples\\\\": [7]}"}', "1/answer/examples/0")
    '7'
    >>> extract_text(b'["caf\\xe9"]', "/0")
    '"caf�"'
    """
    line, pointer = split_locator(locator)
    text = data if line is None else _find_line(data, line)
    if text is None or not (locator.startswith("/") or line is not None):
        return None
    if not pointer:
        return _shorten(text.decode("utf-8-sig", "replace"))
    if text.startswith(_PARQUET_MAGIC):
        return _extract_from_table(text, pointer)
    try:
        value = msgspec.json.decode(text.decode("utf-8-sig", "replace"))
    except msgspec.DecodeError:
        return None
    return _extract_value(value, pointer)


def _find_line(data: bytes, number: int) -> bytes | None:
    lines = data.removesuffix(b"\n").split(b"\n")
    return lines[number - 1].removesuffix(b"\r") if 0 < number <= len(lines) else None


def _extract_from_table(data: bytes, pointer: str) -> str | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    row, slash, rest = pointer[1:].partition("/")
    try:
        table = pq.read_table(pa.BufferReader(data)).slice(int(row), 1)
    except (pa.ArrowException, OSError, ValueError):
        return None
    return _extract_value(table.to_pylist()[0], slash + rest) if table.num_rows else None


def _extract_value(value: Any, pointer: str) -> str:
    for name in split_pointer(pointer):
        value = _decode_text(value)
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            break
    return _shorten(msgspec.json.encode(value, enc_hook=str).decode())


def _decode_text(value: Any) -> Any:
    """Decode a text that is itself JSON, as the answers of models and the arguments of calls are."""
    if not isinstance(value, str):
        return value
    try:
        return decode_json(value)
    except msgspec.DecodeError:
        return value


def read_folder(revision: Revision, folder: str) -> Iterator[tuple[str, bytes]]:
    """Read a folder, file by file, sorted by name: those that git tracks at the commit, or those of the workspace."""
    if revision.commit is None:
        files = [file for file in (revision.root / folder).rglob("*") if file.is_file()]
        names = [file.relative_to(revision.root).as_posix() for file in files]
    else:
        listing = run_git(revision.root, "ls-tree", "-r", "-z", "--name-only", revision.commit, "--", folder)
        names = [name for name in (listing or "").split("\0") if name]
    for name in sorted(names):
        if (data := revision.read_file(name)) is not None:
            yield name, data


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"


def _find_version(revision: Revision, path: str, sha256: str) -> tuple[str | None, bytes | None]:
    """Find the newest commit up to the revision that introduced the file with this hash, and its bytes."""
    start = revision.commit or "HEAD"
    log = read_history(revision.root, f"--max-count={_MAX_COMMITS}", "--format=%H", start, "--", path)
    for commit in log.split():
        data = run_git_bytes(revision.root, "show", f"{commit}:{path}")
        if data is not None and hash_content(data) == sha256:
            return commit, data
    return None, None


def _find_in_dvc(revision: Revision, source: Source, path: str) -> tuple[str | None, bytes | None]:
    """Find DVC's hash of a source's file, and its bytes in the cache.

    If the cache does not have the manifest of the source's folder, the hash is that of the folder.
    """
    if revision.read_file(LOCK) is None:
        return None, None
    stage = revision.stages.get(f"ingest@{source.name}")
    for folder in stage.deps if stage else ():
        if folder.path != source.folder:
            continue
        manifest = locate_object(revision.root, folder.md5)
        entries: list[Output] = []
        if folder.is_folder and manifest.is_file():
            entries = read_dir_manifest(manifest)
        md5 = next((entry.md5 for entry in entries if entry.path == path), None)
        if md5 is None:
            return folder.md5, None
        cached = locate_object(revision.root, md5)
        return md5, cached.read_bytes() if cached.is_file() else None
    return None, None
