"""What the pages and the Markdown documents share: Jinja environments, and how texts and figures look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from exemplars.core.reports import format_interval, format_p_value
from stages.publish.facts import ReleaseFacts, name_base

FOLDER: Final = Path(__file__).parent
"""The folder of templates, styles and scripts."""
_MARKDOWN_CHARACTERS: Final = "\\`*_{}[]<>()#+|~!&"
"""Characters with a meaning in Markdown, or in HTML within it."""
_LONG_WORD: Final = re.compile(r"\S{21,}")
_PIECE: Final = re.compile(r"[^/#_.:,(]{0,30}[/#_.:,(]|[^/#_.:,(]{1,30}")
"""A part of a long word: up to and including a separator, and not too long itself."""


def create_html_environment() -> Environment:
    """Create a Jinja environment that escapes every value for HTML."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["thousands"] = _format_count
    environment.filters["breakable"] = mark_breaks
    environment.filters["kind"] = lambda cell: type(cell).__name__.lower()
    return environment


def create_markdown_environment() -> Environment:
    """Create a Jinja environment for Markdown; templates pass every free text through the filter `cell`."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["thousands"] = _format_count
    environment.filters["cell"] = escape_markdown
    environment.filters["code"] = _format_code
    environment.filters["figure"] = format_figure
    environment.filters["p_value"] = format_p_value
    environment.filters["name_base"] = name_base
    return environment


def read_asset(name: str) -> Markup:
    """Read a style or script of this folder, to be included in a page as it is."""
    return Markup((FOLDER / name).read_text("utf-8"))


def render_markdown(template: str, facts: ReleaseFacts, **fields: Any) -> str:
    """Render a Markdown template with the facts and with fields of its own."""
    fields |= {name: getattr(facts, name) for name in facts.__struct_fields__}
    text = (
        create_markdown_environment()
        .get_template(template)
        .render(exemplars=facts.exemplars, rejected=facts.rejected, **fields)
    )
    return collapse_blank_lines(text)


def escape_markdown(text: str) -> str:
    r"""Escape a text so that Markdown shows it unchanged, and put it on one line.

    >>> print(escape_markdown("a|b\n<i>"))
    a\|b \<i\>
    """
    line = " ".join(str(text).split())
    return "".join(f"\\{character}" if character in _MARKDOWN_CHARACTERS else character for character in line)


def collapse_blank_lines(text: str) -> str:
    """Collapse blank lines into one, strip the ends of lines, and end with one newline."""
    lines: list[str] = []
    for line in map(str.rstrip, text.strip().splitlines()):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines) + "\n"


def mark_breaks(text: str) -> Markup:
    """Escape a text for HTML, and mark where its long words (paths, ids, calls) may break.

    >>> mark_breaks("in sgd:test/dialogues_001.json#/12")
    Markup('in sgd:<wbr>test/<wbr>dialogues_<wbr>001.<wbr>json#<wbr>/<wbr>12')
    """
    parts = []
    end = 0
    for word in _LONG_WORD.finditer(text):
        parts += [escape(text[end : word.start()]), Markup("<wbr>").join(_PIECE.findall(word[0]))]
        end = word.end()
    return Markup("").join([*parts, escape(text[end:])])


def format_figure(figure: Mapping[str, Any]) -> str:
    """Format a figure with its interval: `0.810 (0.740 to 0.870)`; the empty string if it has no value."""
    return "" if figure["value"] is None else format_interval(figure, 3)


def _format_count(number: int) -> str:
    return f"{number:,}"


def _format_code(text: str) -> str:
    """Put a text between backticks; escape it if a backtick or a table's separator would end them."""
    return escape_markdown(text) if {"`", "|"} & set(text) else f"`{text}`"
