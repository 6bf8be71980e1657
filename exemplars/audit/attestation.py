"""Signed statements about a revision: an in-toto statement with SLSA provenance, in a DSSE envelope."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from exemplars.audit.git_history import run_git
from exemplars.audit.revisions import LOCK, Revision, Stage
from exemplars.audit.verification.checks import Check, build_diagnostic, shorten_hash
from exemplars.audit.verification.hashes import hash_files, list_files, parse_dvcignore
from exemplars.core.digests import hash_content
from exemplars.core.errors import Diagnostic, UserError, summarize_names
from exemplars.core.files import encode_json, hash_file

if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "urn:exemplars:dvc-repro:v1"
"""What `externalParameters` and `internalParameters` mean is described in `docs/verify.md`."""
_FIX: Final = "restore it, or attest again after you have checked the change"


class Attestation(NamedTuple):
    """A statement whose signature was checked."""

    place: str
    """Of the file, for messages."""
    files: Mapping[str, str]
    """The SHA-256 of every file, by its path in the project."""
    stages: Mapping[str, str]
    """The SHA-256 of every stage's entry in `dvc.lock`, by the name of the stage."""


class _Descriptor(msgspec.Struct):
    digest: dict[str, str]
    name: str = ""


class _BuildDefinition(msgspec.Struct, rename="camel"):
    build_type: str
    internal_parameters: dict[str, dict[str, str]]
    resolved_dependencies: list[_Descriptor]


class _Predicate(msgspec.Struct, rename="camel"):
    build_definition: _BuildDefinition


class _Statement(msgspec.Struct, rename="camel"):
    """The parts of a statement that are checked."""

    type: str = msgspec.field(name="_type")
    subject: list[_Descriptor]
    predicate_type: str
    predicate: _Predicate


def build_statement(revision: Revision, files: Path) -> dict[str, Any]:
    """Build the statement: the SHA-256 of each file that the stages of `dvc.lock` read or wrote, and of the lock.

    Its subjects are the outputs and the lock; the dependencies are the code, the raw data and the schemas.
    files: the folder that holds the revision's files. Raises `UserError` if one of them is missing.
    """
    stages = revision.stages
    digests = _hash_all(revision, files)
    if missing := sorted(path for path, digest in digests.items() if digest is None):
        found = f"no file {summarize_names(missing)}"
        fix = "run `dvc checkout`, or `dvc fetch`, then `exemplars attest` again"
        raise UserError([build_diagnostic(LOCK, "missing_file", found, "all files that it names", fix)])
    written = _list_written(revision, files)
    commit = (run_git(revision.root, "rev-parse", revision.commit or "HEAD") or "").strip()
    dependencies = [_describe(path, digests[path]) for path in sorted(digests.keys() - written)]
    if commit:
        dependencies.append({"uri": "git+file:.", "digest": {"gitCommit": commit}})
    return {
        "_type": STATEMENT_TYPE,
        "subject": [_describe(path, digests[path]) for path in sorted(written)],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    name: {"command": stage.command, "parameters": stage.params}
                    for name, stage in sorted(stages.items())
                },
                "internalParameters": {"lockedStages": hash_stages(stages)},
                "resolvedDependencies": dependencies,
            },
            "runDetails": {
                "builder": {"id": "urn:exemplars:attest", "version": {"exemplars": version("exemplars")}}
            },
        },
    }


def hash_stages(stages: Mapping[str, Stage]) -> dict[str, str]:
    """Hash the entry of each stage: its command, parameters, dependencies and outputs with their hashes."""
    return {name: _hash_stage(stage) for name, stage in sorted(stages.items())}


def _hash_stage(stage: Stage) -> str:
    entry = [stage.name, stage.command, sorted(stage.deps), stage.params, sorted(stage.outs)]
    return hash_content(json.dumps(entry, sort_keys=True, default=str).encode())


def _describe(path: str, sha256: str | None) -> dict[str, Any]:
    return {"name": path, "digest": {"sha256": sha256}}


def _list_written(revision: Revision, files: Path) -> set[str]:
    ignored = parse_dvcignore((revision.read_file(".dvcignore") or b"").decode("utf-8", "replace"))
    paths = {LOCK}
    for output in revision.outputs.values():
        if output.is_folder:
            paths |= {f"{output.path}/{name}" for name in list_files(files, output.path, ignored)}
        else:
            paths.add(output.path)
    return paths


def _hash_all(revision: Revision, files: Path) -> dict[str, str | None]:
    """Hash all that the stages read and wrote, and the lock, by path; `None` for a missing file."""
    ignored = parse_dvcignore((revision.read_file(".dvcignore") or b"").decode("utf-8", "replace"))
    paths = _list_written(revision, files)
    for dep in {dep for stage in revision.stages.values() for dep in stage.list_local_deps()}:
        if dep.is_folder:
            paths |= {f"{dep.path}/{name}" for name in list_files(files, dep.path, ignored)}
        else:
            paths.add(dep.path)
    digests = hash_files([files / path for path in paths], hash_file)
    return {path: digests[files / path] for path in sorted(paths)}


def build_envelope(statement: Mapping[str, Any], key: Path, password: bytes | None) -> bytes:
    """Build the signed DSSE envelope of a statement, as JSON.

    key: a private key in PEM or OpenSSH's format. Raises `UserError` if it cannot be read.
    """
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner

    envelope = Envelope(msgspec.json.encode(statement), PAYLOAD_TYPE, {})
    try:
        envelope.sign(CryptoSigner(_load_private_key(key, password)))
    except (ValueError, TypeError) as error:
        raise _bad_key(key, str(error), "a private key of Ed25519, ECDSA or RSA") from None
    return encode_json(envelope.to_dict())


def is_encrypted(key: Path) -> bool:
    """Return whether a private key needs a password. Raises `UserError` if the key cannot be read."""
    try:
        _load_private_key(key, None)
    except TypeError:
        return True
    except ValueError as error:
        raise _bad_key(key, str(error), "a private key in PEM or OpenSSH's format") from None
    return False


def open_attestation(path: Path, key: Path) -> Attestation:
    """Read an envelope, and check its signature with a public key in PEM or OpenSSH's format.

    Raises `UserError` if a file cannot be read, no signature is by this key, or the payload is another document.
    """
    from securesystemslib.dsse import Envelope

    public_key = _load_public_key(key)
    try:
        document = json.loads(_read(path))
        envelope = Envelope.from_dict(document)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _bad_attestation(
            path, f"no DSSE envelope ({error})", "the file that `exemplars attest` wrote"
        ) from None
    if not _is_signed(envelope, public_key):
        found = "no valid signature by this key"
        fix = "do not trust the statement; name the public key of the person who attested"
        raise UserError([build_diagnostic(str(path), "wrong_signature", found, f"one by {key}", fix)])
    try:
        statement = msgspec.json.decode(envelope.payload, type=_Statement)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _bad_attestation(path, str(error), "an in-toto statement with SLSA provenance") from None
    definition = statement.predicate.build_definition
    types = (envelope.payload_type, statement.type, statement.predicate_type, definition.build_type)
    if types != (PAYLOAD_TYPE, STATEMENT_TYPE, PREDICATE_TYPE, BUILD_TYPE):
        raise _bad_attestation(path, f"the types {', '.join(types)}", "a statement of `exemplars attest`")
    described = [*statement.subject, *definition.resolved_dependencies]
    return Attestation(
        str(path),
        {entry.name: entry.digest["sha256"] for entry in described if "sha256" in entry.digest},
        definition.internal_parameters.get("lockedStages", {}),
    )


def check_attestation(attestation: Attestation, revision: Revision, files: Path) -> Check:
    """Compare a revision with a signed statement: every file, and every stage of `dvc.lock`.

    files: the folder that holds the revision's files.
    """
    current = _hash_all(revision, files)
    unlisted = [files / path for path in attestation.files if path not in current]
    current |= {
        path.relative_to(files).as_posix(): digest for path, digest in hash_files(unlisted, hash_file).items()
    }
    problems = [*_compare_stages(attestation, hash_stages(revision.stages))]
    notes = []
    if current[LOCK] != attestation.files.get(LOCK) and not problems:
        notes.append(f"{LOCK} has other bytes than the attested one, with the same entries")
    problems += _compare_files(attestation, current)
    counted = f"{len(attestation.files):,} files, {len(attestation.stages)} stages compared, signed"
    return Check("attestation", counted, tuple(problems), tuple(notes))


def _compare_stages(attestation: Attestation, current: Mapping[str, str]) -> Iterator[Diagnostic]:
    for name in sorted({*attestation.stages, *current}):
        if current.get(name) == attestation.stages.get(name):
            continue
        found, expected = f"another entry of the stage {name}", f"the entry attested in {attestation.place}"
        if name not in current:
            found = f"no stage {name}"
        elif name not in attestation.stages:
            found, expected = f"a stage {name}", f"only the stages attested in {attestation.place}"
        yield build_diagnostic(f"{LOCK}: {name}", "unattested", found, expected, _FIX)


def _compare_files(attestation: Attestation, current: Mapping[str, str | None]) -> Iterator[Diagnostic]:
    for path in sorted({*attestation.files, *current} - {LOCK}):
        digest, attested = current.get(path), attestation.files.get(path)
        if digest == attested:
            continue
        found = "no readable file" if digest is None else f"SHA-256 {shorten_hash(digest)}"
        expected = f"{shorten_hash(attested)}, attested" if attested else "only attested files"
        yield build_diagnostic(path, "unattested", found, f"{expected} in {attestation.place}", _FIX)


def _is_signed(envelope: Any, public_key: SSlibKey) -> bool:
    """Return whether one of the signatures is by the key; the key id in an envelope is a hint, and not signed."""
    from securesystemslib.exceptions import UnverifiedSignatureError

    for signature in envelope.signatures.values():
        try:
            public_key.verify_signature(signature, envelope.pae())
        except UnverifiedSignatureError:
            continue
        return True
    return False


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        found = error.strerror or str(error)
        raise UserError(
            [build_diagnostic(str(path), "unreadable_file", found, "a readable file", "check the path")]
        ) from None


def _load_private_key(path: Path, password: bytes | None) -> Any:
    """Load a private key. Raises `TypeError` if it needs a password, and `ValueError` if it is no key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    data = _read(path)
    load = load_ssh_private_key if b"BEGIN OPENSSH" in data else load_pem_private_key
    try:
        return load(data, password)
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from None


def _load_public_key(path: Path) -> SSlibKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key, load_ssh_public_key
    from securesystemslib.signer import SSlibKey

    data = _read(path)
    load = load_pem_public_key if b"-----BEGIN" in data else load_ssh_public_key
    try:
        return SSlibKey.from_crypto(load(data))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _bad_key(path, str(error), "a public key in PEM or OpenSSH's format") from None


def _bad_key(path: Path, found: str, expected: str) -> UserError:
    sentence = " ".join(found.split())[:160] or "no key"
    fix = "docs/verify.md shows how to make a key"
    return UserError([build_diagnostic(str(path), "unusable_key", sentence, expected, fix)])


def _bad_attestation(path: Path, found: str, expected: str) -> UserError:
    fix = "run `exemplars attest` again"
    return UserError(
        [build_diagnostic(str(path), "unreadable_attestation", " ".join(found.split())[:160], expected, fix)]
    )
