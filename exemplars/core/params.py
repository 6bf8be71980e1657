"""`params.yaml`, read into frozen, typed sections that reject what they do not know.

The type of a section stands in the package of its stage (`stages/<stage>/params.py`).
"""

from __future__ import annotations

import difflib
import types
from pathlib import Path
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
import yaml

from exemplars.core.errors import Diagnostic, UserError, quote_text

PATH: Final = Path("params.yaml")
SECTIONS: Final = (
    "ingest",
    "compile",
    "curate",
    "validate",
    "split",
    "render",
    "train",
    "evaluate",
    "publish",
)
"""The top-level keys: the names of the stages that have parameters."""

S = TypeVar("S", bound=msgspec.Struct)


def load_section(name: str, section: type[S], path: Path = PATH) -> S:
    """The section `name` of the parameter file at `path`, as a `section`.

    Raises `UserError` with one diagnostic for every unknown key of the file's top level and of the
    section, and one for the first value of a wrong type.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = yaml.safe_load(text)
    except FileNotFoundError:
        raise UserError([_problem(path, "missing_file", "no such file", "the parameters")]) from None
    except UnicodeDecodeError as error:
        raise UserError([_problem(path, "not_utf8", f"byte {error.start} is not UTF-8", "UTF-8")]) from None
    except yaml.YAMLError as error:
        raise UserError([_yaml_problem(path, error)]) from None
    if not isinstance(document, dict):
        raise UserError([_problem(path, "wrong_shape", "no keys", f"the sections {', '.join(SECTIONS)}")])
    problems = [_unknown(path, text, (str(key),), SECTIONS) for key in document if key not in SECTIONS]
    if name not in document:
        problems.append(_problem(path, "missing_section", f"no section {name!r}", f"a section {name!r}"))
        raise UserError(problems)
    problems += [
        _unknown(path, text, keys, known) for keys, known in _unknown_keys((name,), document[name], section)
    ]
    if not problems:
        try:
            return msgspec.convert(document[name], section)
        except msgspec.ValidationError as error:
            problems.append(_invalid(path, text, name, document[name], str(error)))
    raise UserError(problems)


def _unknown_keys(
    keys: tuple[str, ...], value: Any, expected: Any
) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Every key in `value` that `expected` has no field for, with the fields that it has."""
    origin, arguments = get_origin(expected), get_args(expected)
    if origin in (Union, types.UnionType):
        chosen = [one for one in arguments if _chosen(one, value)]
        return _unknown_keys(keys, value, chosen[0]) if len(chosen) == 1 else []
    if origin is dict and isinstance(value, dict):
        return [
            found
            for key, one in value.items()
            for found in _unknown_keys((*keys, str(key)), one, arguments[1])
        ]
    if not (isinstance(expected, type) and issubclass(expected, msgspec.Struct) and isinstance(value, dict)):
        return []
    fields = {one.encode_name: get_type_hints(expected)[one.name] for one in msgspec.structs.fields(expected)}
    if expected.__struct_config__.tag is not None:
        fields[str(expected.__struct_config__.tag_field)] = str
    unknown = []
    for key, one in value.items():
        if key in fields:
            unknown += _unknown_keys((*keys, str(key)), one, fields[key])
        else:
            unknown.append(((*keys, str(key)), tuple(fields)))
    return unknown


def _chosen(member: Any, value: Any) -> bool:
    """Whether a value is meant for this member of a union: by its tag, where members have tags."""
    config = getattr(member, "__struct_config__", None)
    if config is None or config.tag is None:
        return member is not type(None)
    return isinstance(value, dict) and value.get(config.tag_field) == config.tag


def _unknown(path: Path, text: str, keys: tuple[str, ...], known: tuple[str, ...]) -> Diagnostic:
    close = difflib.get_close_matches(keys[-1], known, n=1)
    return _problem(
        path,
        "unknown_key",
        f"unknown key {'.'.join(keys)!r}",
        f"one of {', '.join(known)}",
        f"did you mean {close[0]!r}?" if close else "remove it, or correct its name",
        _line_of(text, keys),
    )


def _invalid(path: Path, text: str, name: str, value: Any, message: str) -> Diagnostic:
    complaint, _, pointer = message.partition(" - at `$")
    keys = (name, *[key for key in pointer.rstrip("`").replace("[", ".").replace("]", "").split(".") if key])
    found = _value_at(value, keys[1:])
    # Of a whole section the complaint says which of its values is meant.
    given = (
        ""
        if isinstance(found, (dict, list))
        else f" is {quote_text(found) if isinstance(found, str) else found}"
    )
    return _problem(
        path,
        "invalid_value",
        f"{'.'.join(keys)}{given}: {complaint[0].lower()}{complaint[1:]}",
        "a value as the comment beside the key says",
        "correct the value",
        _line_of(text, keys),
    )


def _value_at(value: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdigit():
            value = value[int(key)]
    return value


def _line_of(text: str, keys: tuple[str, ...]) -> int | None:
    """The line (from 1) of a nested key, as far as the document has it."""
    node, line = yaml.compose(text, Loader=yaml.SafeLoader), None
    for key in keys:
        if not isinstance(node, yaml.MappingNode):
            break
        for name, value in node.value:
            if name.value == key:
                node, line = value, name.start_mark.line + 1
                break
    return line


def _yaml_problem(path: Path, error: yaml.YAMLError) -> Diagnostic:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or "text that is not YAML"
    return _problem(path, "not_yaml", str(what), "YAML", "", None if mark is None else mark.line + 1)


def _problem(
    path: Path, code: str, found: str, expected: str, fix: str = "", line: int | None = None
) -> Diagnostic:
    return Diagnostic(
        path=str(path),
        code=code,
        found=found,
        expected=expected,
        fix=fix or f"correct {path.name}",
        line=line,
    )
