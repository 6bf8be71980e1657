"""`dvc.lock` against `params.yaml` and `code.yaml`: the values and the code that stages ran with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from exemplars.audit.revisions import Revision, Stage
from exemplars.audit.verification.checks import Check, build_diagnostic
from exemplars.core.code_version import CODE, CODE_KEY
from exemplars.core.errors import Diagnostic, UserError, summarize_names
from exemplars.core.yaml_documents import YamlProblem, decode_yaml

ABSENT: Final[Any] = object()
"""The value of a key that does not exist; `None` is a value."""


def read_yaml(revision: Revision, path: str) -> dict[str, Any]:
    """Read a YAML file of a revision. Raises `UserError` if it is missing or damaged."""
    data = revision.read_file(path)
    found = "no such file"
    if data is not None:
        try:
            document = decode_yaml(data.decode("utf-8-sig"))
            if isinstance(document, dict):
                return document
            found = "no keys"
        except (YamlProblem, UnicodeDecodeError) as error:
            found = f"no YAML ({' '.join(str(error).split())})"
    fix = f"`git checkout {path}` restores it"
    raise UserError([build_diagnostic(path, "unreadable_file", found, "a YAML file with keys", fix)])


def read_code_hashes(revision: Revision) -> dict[str, Any]:
    """Read the hash of each stage's code from `code.yaml`, under its key; empty if the code is in the project.

    Raises `UserError` if the file is damaged.
    """
    if revision.read_file(str(CODE)) is None:
        return {}
    return {CODE_KEY: read_yaml(revision, str(CODE)).get(CODE_KEY)}


def get_value(document: Any, key: str) -> Any:
    """Get the value of a dotted key, or `ABSENT`.

    >>> get_value({"train": {"rank": 2}}, "train.rank")
    2
    """
    for part in key.split("."):
        if not isinstance(document, dict) or part not in document:
            return ABSENT
        document = document[part]
    return document


def check_params(stages: Iterable[Stage], params: Mapping[str, Any]) -> Check:
    """Compare `params.yaml` with the values that the stages ran with, key by key."""
    recorded: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    for stage in stages:
        for key, value in stage.params.items():
            recorded[key].append((stage.name, value))
    problems = [
        problem for key, values in sorted(recorded.items()) for problem in _check_key(key, values, params)
    ]
    return Check("params", f"{len(recorded):,} keys compared with what stages ran with", tuple(problems))


def list_stale_stages(stages: Iterable[Stage], params: Mapping[str, Any]) -> frozenset[str]:
    """List the stages that ran with other values than those in `params.yaml`."""
    return frozenset(
        stage.name
        for stage in stages
        for key, value in stage.params.items()
        if any(_find_differences(key, get_value(params, key), value))
    )


def _check_key(key: str, recorded: list[tuple[str, Any]], params: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Compare a key with what stages ran with. recorded: stages and values."""
    current = get_value(params, key)
    for value in {repr(value): value for _, value in recorded}.values():
        stages = summarize_names(sorted(name for name, other in recorded if repr(other) == repr(value)))
        for path, found, expected in _find_differences(key, current, value):
            yield build_diagnostic(
                f"{CODE if path.startswith(f'{CODE_KEY}.') else 'params.yaml'}: {path}",
                "changed_param",
                "no such key" if found is ABSENT else repr(found),
                f"{'no such key' if expected is ABSENT else repr(expected)}, as when {stages} ran",
                "revert it, or run `dvc repro`",
            )


def _find_differences(key: str, current: Any, recorded: Any) -> Iterator[tuple[str, Any, Any]]:
    """Find the innermost keys that differ, with both values."""
    if isinstance(current, dict) and isinstance(recorded, dict):
        for name in dict.fromkeys([*recorded, *current]):
            yield from _find_differences(
                f"{key}.{name}", current.get(name, ABSENT), recorded.get(name, ABSENT)
            )
    elif not _is_same(current, recorded):
        yield key, current, recorded


def _is_same(value: Any, other: Any) -> bool:
    """Compare values and types; but DVC writes 0.00005 as 5e-05, which YAML 1.1 reads as a string."""
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(map(_is_same, value, other))
    if isinstance(value, str) is not isinstance(other, str):
        try:
            return float(value) == float(other)
        except (TypeError, ValueError):
            return False
    return bool(value == other) and isinstance(value, bool) is isinstance(other, bool)
