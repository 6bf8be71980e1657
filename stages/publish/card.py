"""The data card: Markdown in the form of the Hugging Face hub, and the same text as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from stages.publish import paths
from stages.publish.bom import METRICS, base_name
from stages.publish.facts import Facts
from stages.publish.licenses.duties import hub_name
from stages.publish.licenses.expressions import licences_in
from stages.publish.licenses.terms import Term
from stages.publish.links import links_from

TEMPLATES: Final = Path(__file__).parent
_SIZES: Final = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_MARKS: Final = "\\`*_{}[]<>()#+|~!&"
"""What means something to Markdown, or to HTML within it."""


def markdown_environment() -> Environment:
    """Templates of Markdown, in which `cell` makes any text harmless; nothing is escaped by itself."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["thousands"] = lambda number: f"{number:,}"
    environment.filters["cell"] = plain
    environment.filters["code"] = lambda text: plain(text) if {"`", "|"} & set(text) else f"`{text}`"
    environment.filters["figure"] = _figure
    environment.filters["base_name"] = base_name
    return environment


def plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    line = " ".join(str(text).split())
    return "".join(f"\\{mark}" if mark in _MARKS else mark for mark in line)


def shared_fields(facts: Facts) -> dict[str, Any]:
    """What the templates of the card and of the summary show."""
    fields = {name: getattr(facts, name) for name in facts.__struct_fields__}
    return {**fields, "exemplars": facts.exemplars, "lost": facts.lost}


def card_markdown(facts: Facts) -> str:
    """The card, with its front matter."""
    named = {name for one in facts.duties if one.term is Term.ATTRIBUTION for name in one.sources}
    kinds = {*facts.findings.labelled_personal, *facts.findings.unlabelled_personal}
    text = (
        markdown_environment()
        .get_template("card.md.jinja")
        .render(
            **shared_fields(facts),
            front_matter=yaml.safe_dump(front_matter(facts), sort_keys=False, allow_unicode=True),
            named=named,
            personal_kinds=sorted(kinds),
            metrics=METRICS,
        )
    )
    return squeezed(text)


def front_matter(facts: Facts) -> dict[str, Any]:
    """What the hub reads of a card: its metadata."""
    about = facts.about
    licences = sorted({one for expression in facts.licences for one in licences_in(expression)})
    names = list(dict.fromkeys(map(hub_name, licences)))
    others = [one for one in licences if hub_name(one) == "other"]
    return {
        "pretty_name": about.title,
        "license": names[0] if len(names) == 1 else names,
        **({"license_name": ", ".join(others).lower()} if others else {}),
        "language": list(about.languages),
        "size_categories": [next((name for limit, name in _SIZES if facts.exemplars < limit), "n>10M")],
        "task_categories": ["text-generation", "token-classification"],
        "tags": ["function-calling", "tool-use", "exemplars"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": split.name, "path": split.file.path} for split in facts.splits if split.rows
                ],
            }
        ],
    }


def card_page(markdown: str, title: str) -> str:
    """The card as a page; HTML in the Markdown is shown as text.

    markdown: as `card_markdown` makes it.
    """
    from markdown_it import MarkdownIt

    text = markdown.split("---\n", 2)[2]
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    body = body.replace("<table>", '<div class="scroll" tabindex="0"><table>').replace(
        "</table>", "</table></div>"
    )
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("card.html.jinja").render(
        title=title,
        body=Markup(body),
        style=Markup((TEMPLATES / "page.css").read_text("utf-8")),
        links=links_from(paths.CARD_PAGE),
    )


def squeezed(text: str) -> str:
    """At most one empty line in a row, no spaces at the ends of lines, one newline at the end."""
    lines: list[str] = []
    for line in map(str.rstrip, text.strip().splitlines()):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines) + "\n"


def _figure(one: dict[str, Any]) -> str:
    """A figure with its interval: `0.81 (0.74 to 0.87)`."""
    if one["value"] is None:
        return ""
    return f"{one['value']:.2f} ({one['low']:.2f} to {one['high']:.2f})"
