"""`params.yaml`, read into frozen, typed sections that reject what they do not know.

Each stage declares the type of its section in `stages/<stage>/params.py`; bounds are part of the type
(`Annotated[int, msgspec.Meta(ge=1)]`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import yaml

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import read_file
from exemplars.core.names import check_name
from exemplars.core.parameter_validator import Fault, Keys, find_faults, report_unknown
from exemplars.core.yaml_documents import YamlProblem, compose_yaml, decode_yaml

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
_MAX_BYTES: Final = 2**20

S = TypeVar("S", bound=msgspec.Struct)


def load_section(name: str, section: type[S], path: Path = PATH) -> S:
    """Read the section `name` of the parameter file at `path` as a `section`.

    What the file does not name has the default of the type; a section that is missing, or that has no keys, is
    all defaults. Raises `UserError` with one diagnostic for every unknown key of the file's top level, and for every
    unknown or missing key and every invalid value of the section.
    """
    document = _check_document({name: section}, path)
    return msgspec.convert(document.get(name) or {}, section)


def load_keys(name: str, keys: type[S], path: Path = PATH) -> S:
    """Read some keys of the section `name`, of a stage that checks the others; a key has its default if missing.

    Raises `UserError` for every invalid value.
    """
    text, document = read_parameters(path)
    section = document.get(name)
    known = {field.encode_name for field in msgspec.structs.fields(keys)}
    values = (
        {key: value for key, value in section.items() if key in known} if isinstance(section, dict) else {}
    )
    if faults := list(find_faults((name,), values, keys)):
        raise UserError([_describe_fault(path, text, fault) for fault in faults])
    return msgspec.convert(values, keys)


def check_sections(types: Mapping[str, type[msgspec.Struct]], path: Path = PATH) -> None:
    """Check several sections of the parameter file at `path`. types: their types, by their names.

    Raises `UserError` with all that `load_section` would report of any of them.
    """
    _check_document(types, path)


def read_parameters(path: Path = PATH) -> tuple[str, dict[Any, Any]]:
    """Read the text of a parameter file, and the document in it. Raises `UserError` if it has no keys."""
    data = read_file(path, expected="the parameters", limit=_MAX_BYTES)
    try:
        text = data.decode("utf-8-sig")
        document = _decode(text)
    except UnicodeDecodeError as error:
        raise UserError([_problem(path, "not_utf8", f"byte {error.start} is not UTF-8", "UTF-8")]) from None
    except YamlProblem as error:
        raise UserError([_problem(path, "not_yaml", error.found, "YAML", line=error.line)]) from None
    if not isinstance(document, dict):
        raise UserError([_problem(path, "wrong_shape", "no keys", f"the sections {', '.join(SECTIONS)}")])
    return text, document


def find_unknown_sections(path: Path = PATH) -> list[Diagnostic]:
    """Find the keys of the file's top level that are no sections."""
    text, document = read_parameters(path)
    faults = [report_unknown((str(key),), SECTIONS, document) for key in document if key not in SECTIONS]
    return [_describe_fault(path, text, fault) for fault in faults]


def find_section_faults(name: str, section: type[msgspec.Struct], path: Path = PATH) -> list[Diagnostic]:
    """Find everything that is wrong with a section. section: its type."""
    text, document = read_parameters(path)
    if document.get(name) is not None:
        return [_describe_fault(path, text, fault) for fault in find_faults((name,), document[name], section)]
    if _has_required_keys(section):
        return [_problem(path, "missing_section", f"no section {name!r}", f"a section {name!r}")]
    return []


@lru_cache(maxsize=1)
def _decode(text: str) -> Any:
    """Decode the text of a parameter file; a stage and its checks read the same text several times."""
    return decode_yaml(text)


def _check_document(types: Mapping[str, type[msgspec.Struct]], path: Path) -> dict[Any, Any]:
    diagnostics = find_unknown_sections(path)
    for name, section in types.items():
        diagnostics += find_section_faults(name, section, path)
    if diagnostics:
        raise UserError(diagnostics)
    return read_parameters(path)[1]


def find_lines(section: str, path: Path = PATH) -> dict[str, int]:
    """Find the lines (from 1) of the keys of a section; a key that the file leaves to its default has none."""
    text, _ = read_parameters(path)
    lines: dict[str, int] = {}
    root = compose_yaml(text)
    for name, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if name.value == section and isinstance(value, yaml.MappingNode):
            lines |= {key.value: key.start_mark.line + 1 for key, _ in value.value}
    return lines


def load_value(section: str, key: str, path: Path = PATH) -> Any:
    """Read a value without checking its section; `None` if the file does not name it."""
    _, document = read_parameters(path)
    values = document.get(section)
    return values.get(key) if isinstance(values, dict) else None


def read_source_settings(path: Path = PATH) -> dict[str, dict[str, Any]]:
    """Read the parameters of each source, by its name, as they are written; none if there are no sources."""
    _, document = read_parameters(path)
    section = document.get("ingest")
    sources = section.get("sources") if isinstance(section, dict) else None
    return {
        str(name): source
        for name, source in (sources.items() if isinstance(sources, dict) else ())
        if isinstance(source, dict)
    }


def composes_values(source: Mapping[str, Any]) -> bool:
    """Return whether the model writes the values of a source that nothing ties to the conversation.

    source: its parameters, as they are written. Of chat data that is so unless they say otherwise.
    """
    default = "compose" if source.get("format") == "chat" else "reject"
    return bool(source.get("ungrounded", default) == "compose")


def requires_review(source: Mapping[str, Any]) -> bool:
    """Return whether a row of a source counts only if a person has approved it.

    source: its parameters, as they are written. Of generated data that is so unless they say otherwise.
    """
    default = "required" if source.get("format") == "generated" else "optional"
    return bool(source.get("review", default) == "required")


def is_generated(source: Mapping[str, Any]) -> bool:
    """Return whether a model wrote a source, so that nothing may be tested by it. source: as in `requires_review`."""
    return bool(source.get("format") == "generated")


def read_source_paths(path: Path = PATH) -> dict[str, str]:
    """Read the folder of each source, by its name, whatever else the section has; none if it has no sources."""
    settings = read_source_settings(path)
    return {name: str(source["path"]) for name, source in settings.items() if "path" in source}


def _has_required_keys(section: type[msgspec.Struct]) -> bool:
    return any(field.required for field in msgspec.structs.fields(section))


def read_runs(path: Path = PATH) -> dict[str, str]:
    """Read `train.runs`: the folder of rows that each run reads, by the name of its recipe.

    Raises `UserError` if the parameter file names no run, as `dvc.yaml` needs it, or if a name is no name.
    """
    runs = load_value("train", "runs", path)
    if not isinstance(runs, dict) or not runs:
        expected = "a recipe with its folder, such as `lora: training`"
        raise UserError([_problem(path, "missing_key", "no run in train.runs", expected)])
    return {check_name(str(name), "recipe"): str(folder) for name, folder in runs.items()}


def _describe_fault(path: Path, text: str, fault: Fault) -> Diagnostic:
    line = find_line(text, fault.keys)
    return _problem(path, fault.code, fault.found, fault.expected, fault.fix, fault.summary, line)


def find_line(text: str, keys: Keys) -> int | None:
    """Return the line (from 1) of the value at `keys`, or of the deepest parent that the document has."""
    node, line = compose_yaml(text), None
    for key in keys:
        if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
            node = node.value[key]
            line = node.start_mark.line + 1
            continue
        if not isinstance(node, yaml.MappingNode):
            break
        for name, value in node.value:
            if name.value == key:
                node, line = value, name.start_mark.line + 1
                break
    return line


def _problem(
    path: Path,
    code: str,
    found: str,
    expected: str,
    fix: str = "",
    summary: str = "",
    line: int | None = None,
) -> Diagnostic:
    return Diagnostic(
        path=str(path),
        code=code,
        found=found,
        expected=expected,
        fix=fix or f"correct {path.name}",
        summary=summary,
        line=line,
    )
