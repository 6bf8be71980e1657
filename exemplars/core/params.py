"""`params.yaml`, read into frozen, typed sections that reject what they do not know.

Each stage declares the type of its section in `stages/<stage>/params.py`; bounds are part of the type
(`Annotated[int, msgspec.Meta(ge=1)]`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import yaml

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.parameter_validator import Fault, Keys, find_faults, report_unknown

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
    """Read the section `name` of the parameter file at `path` as a `section`.

    Raises `UserError` with one diagnostic for every unknown key of the file's top level, and for every
    unknown or missing key and every invalid value of the section.
    """
    text, document = _read_document(path)
    faults = [report_unknown((str(key),), SECTIONS) for key in document if key not in SECTIONS]
    if name in document:
        faults += find_faults((name,), document[name], section)
    diagnostics = [_describe_fault(path, text, fault) for fault in faults]
    if name not in document:
        diagnostics.append(_problem(path, "missing_section", f"no section {name!r}", f"a section {name!r}"))
    if diagnostics:
        raise UserError(diagnostics)
    return msgspec.convert(document[name], section)


def _describe_fault(path: Path, text: str, fault: Fault) -> Diagnostic:
    line = _find_line(text, fault.keys)
    return _problem(path, fault.code, fault.found, fault.expected, fault.fix, fault.summary, line)


def _read_document(path: Path) -> tuple[str, dict[Any, Any]]:
    """Read the text of a parameter file, and the document in it. Raises `UserError` if it has no keys."""
    try:
        text = path.read_text(encoding="utf-8")
        document = yaml.safe_load(text)
    except FileNotFoundError:
        raise UserError([_problem(path, "missing_file", "no such file", "the parameters")]) from None
    except UnicodeDecodeError as error:
        raise UserError([_problem(path, "not_utf8", f"byte {error.start} is not UTF-8", "UTF-8")]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        found = str(getattr(error, "problem", None) or "text that is not YAML")
        line = None if mark is None else mark.line + 1
        raise UserError([_problem(path, "not_yaml", found, "YAML", line=line)]) from None
    if not isinstance(document, dict):
        raise UserError([_problem(path, "wrong_shape", "no keys", f"the sections {', '.join(SECTIONS)}")])
    return text, document


def _find_line(text: str, keys: Keys) -> int | None:
    """Return the line (from 1) of the value at `keys`, or of the deepest parent that the document has."""
    node, line = yaml.compose(text, Loader=yaml.SafeLoader), None
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
