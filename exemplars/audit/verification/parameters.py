"""`dvc.lock` against `params.yaml` and `dvc.yaml`: the values that stages ran with, and the stages."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import yaml

from exemplars.audit.revisions import Revision, Stage
from exemplars.audit.verification.checks import Check, problem, some
from exemplars.core.errors import Diagnostic, UserError

_REFERENCE: Final = re.compile(r"\$\{([\w.]+)\}")
_ABSENT: Final = object()


def document_of(revision: Revision, path: str) -> dict[str, Any]:
    """A YAML file of a revision. Raises `UserError` where there is none, or a damaged one."""
    data = revision.file(path)
    found = "no such file"
    if data is not None:
        try:
            document = yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
            if isinstance(document, dict):
                return document
            found = "no keys"
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            found = f"no YAML ({' '.join(str(error).split())})"
    raise UserError([problem(path, "unreadable_file", found, "a file of the project", "bring it back")])


def value_at(document: Any, key: str) -> Any:
    """The value of a dotted key; `KeyError` where there is none."""
    for part in key.split("."):
        if not isinstance(document, dict) or part not in document:
            raise KeyError(key)
        document = document[part]
    return document


def stage_names(pipeline: Mapping[str, Any], params: Mapping[str, Any]) -> frozenset[str]:
    """The stages of `dvc.yaml`, with one `name@key` for each instance of a `foreach`."""
    names: set[str] = set()
    for name, one in (pipeline.get("stages") or {}).items():
        each = one.get("foreach") if isinstance(one, dict) else None
        if isinstance(each, str) and (reference := _REFERENCE.fullmatch(each)):
            try:
                each = value_at(params, reference[1])
            except KeyError:
                each = ()
        names |= {name} if each is None else {f"{name}@{key}" for key in each}
    return frozenset(names)


def check_params(stages: Iterable[Stage], params: Mapping[str, Any]) -> Check:
    """Name each key whose value is not the one that a stage ran with."""
    values: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    for stage in stages:
        for key, value in stage.params.items():
            values[key].append((stage.name, value))
    problems = [one for key, ran in sorted(values.items()) for one in _changed(key, ran, params)]
    return Check("params", f"{len(values):,} keys that stages ran with", tuple(problems))


def _changed(key: str, ran: list[tuple[str, Any]], params: Mapping[str, Any]) -> Iterator[Diagnostic]:
    try:
        now = value_at(params, key)
    except KeyError:
        now = _ABSENT
    for value in {repr(value): value for _, value in ran}.values():
        stages = some([name for name, one in ran if repr(one) == repr(value)])
        for path, found, expected in _differences(key, now, value):
            yield problem(
                f"params.yaml: {path}",
                "changed_param",
                "no such key" if found is _ABSENT else repr(found),
                f"{'no such key' if expected is _ABSENT else repr(expected)}, with which {stages} ran",
                "take it back, or run `dvc repro`",
            )


def _differences(key: str, now: Any, then: Any) -> Iterator[tuple[str, Any, Any]]:
    """The innermost keys that differ, with both values."""
    if isinstance(now, dict) and isinstance(then, dict):
        for name in dict.fromkeys([*then, *now]):
            yield from _differences(f"{key}.{name}", now.get(name, _ABSENT), then.get(name, _ABSENT))
    elif not _same(now, then):
        yield key, now, then


def _same(one: Any, other: Any) -> bool:
    """Equal, of one type; DVC writes 0.00005 as 5e-05, which YAML 1.1 takes for a text."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, str) is not isinstance(other, str):
        try:
            return float(one) == float(other)
        except (TypeError, ValueError):
            return False
    return bool(one == other) and isinstance(one, bool) is isinstance(other, bool)
