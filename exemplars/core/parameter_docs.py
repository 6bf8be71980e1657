"""The parameters with their defaults and comments, from the types that declare them.

The comment of a key is the docstring of its field, and is written nowhere else: `exemplars params` prints it, and a
test compares it with the comments of `params.yaml`.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import textwrap
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import yaml

_WIDTH: Final = 80
_LINE_WIDTH: Final = 10_000
"""No flow mapping is broken: a long one is written as a block instead."""


def read_field_docs(struct: type[msgspec.Struct]) -> dict[str, str]:
    """Read the docstrings of the fields of a struct, by the name of the key; fields without one are left out."""
    docs: dict[str, str] = {}
    for base in reversed(struct.__mro__):
        if base is not msgspec.Struct and issubclass(base, msgspec.Struct):
            docs |= _parse_module_docs(base.__module__).get(base.__name__, {})
    names = {field.name: field.encode_name for field in msgspec.structs.fields(struct)}
    return {names[name]: doc for name, doc in docs.items() if name in names}


@functools.cache
def _parse_module_docs(module: str) -> dict[str, dict[str, str]]:
    """Parse the docstrings of the fields of all classes of a module, by class and field."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {
        node.name: dict(_list_documented_fields(node)) for node in tree.body if isinstance(node, ast.ClassDef)
    }


def _list_documented_fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """List the fields that a string follows, as editors and documentation tools read them."""
    for statement, following in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
            and isinstance(following.value.value, str)
        ):
            first, *others = following.value.value.strip().splitlines()
            # Not `inspect.cleandoc`, which removes the indentation of a list.
            lines = [line.removeprefix(" " * following.col_offset) for line in others]
            yield statement.target.id, "\n".join([first, *lines])


def render_section(name: str, section: type[msgspec.Struct], value: msgspec.Struct) -> str:
    """Render a section as YAML: every key with its value, below its comment.

    section: the type of `value`, which has all values.
    """
    lines = [*_render_comment(inspect.getdoc(section) or "", ""), f"{name}:", *_render_fields(value, "  ")]
    return "".join(f"{line}\n" for line in lines)


def _render_fields(struct: msgspec.Struct, indent: str) -> Iterator[str]:
    docs = read_field_docs(type(struct))
    config = type(struct).__struct_config__
    if config.tag is not None:
        yield f"{indent}{config.tag_field}: {_render_scalar(config.tag)}"
    for field in msgspec.structs.fields(struct):
        yield from _render_comment(docs.get(field.encode_name, ""), indent)
        yield from _render_value(field.encode_name, getattr(struct, field.name), indent)


def _render_value(key: str, value: Any, indent: str) -> Iterator[str]:
    """Render a key and its value: as a block if a part of it has a comment, or if it is long; else in a line."""
    if isinstance(value, msgspec.Struct) and read_field_docs(type(value)):
        yield f"{indent}{key}:"
        yield from _render_fields(value, f"{indent}  ")
    elif isinstance(value, dict) and any(isinstance(item, msgspec.Struct) for item in value.values()):
        yield f"{indent}{key}:"
        described: set[type] = set()
        for name, item in value.items():
            is_variant = type(item).__struct_config__.tag is not None and not read_field_docs(type(item))
            if is_variant and type(item) not in described:
                described.add(type(item))
                yield from _render_comment(inspect.getdoc(type(item)) or "", f"{indent}  ")
            yield from _render_value(name, item, f"{indent}  ")
    else:
        plain = msgspec.to_builtins(value)
        line = f"{indent}{key}: {_render_scalar(plain)}"
        if len(line) <= _WIDTH or not isinstance(plain, dict | list):
            yield line
            return
        yield f"{indent}{key}:"
        text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=_LINE_WIDTH)
        yield from textwrap.indent(text, f"{indent}  ").splitlines()


def _render_scalar(value: Any) -> str:
    """Render a value on one line, as YAML 1.1 and 1.2 both read it.

    >>> _render_scalar({"a": [1, "no"], "rate": 1e-05})
    "{a: [1, 'no'], rate: 1.0e-05}"
    """
    text = yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=_LINE_WIDTH
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _render_comment(text: str, indent: str) -> Iterator[str]:
    """Render a comment; paragraphs are filled, and lines that are indented, such as those of a list, stay."""
    for paragraph in text.split("\n\n"):
        filled: list[str] = []
        for line in paragraph.splitlines():
            if line.startswith(" ") or not filled or filled[-1].startswith(" "):
                filled.append(line)
            else:
                filled[-1] += f" {line.strip()}"
        for line in filled:
            prefix = f"{indent}# "
            hanging = f"{prefix}  " if line.startswith(" ") else prefix
            yield from textwrap.wrap(
                line, _WIDTH, initial_indent=prefix, subsequent_indent=hanging, break_on_hyphens=False
            )


def list_parameters(name: str, value: msgspec.Struct) -> Iterator[dict[str, Any]]:
    """List the parameters of a section: dotted key, value, and comment, those of nested sections one by one."""
    docs = read_field_docs(type(value))
    for field in msgspec.structs.fields(value):
        key, item = f"{name}.{field.encode_name}", getattr(value, field.name)
        if isinstance(item, msgspec.Struct) and read_field_docs(type(item)):
            yield from list_parameters(key, item)
        else:
            comment = " ".join(docs.get(field.encode_name, "").split())
            yield {"key": key, "value": msgspec.to_builtins(item), "comment": comment}
