"""The data card: Markdown in the form of the Hugging Face hub, and the same text as a page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import yaml
from markupsafe import Markup

from exemplars.core.licenses import list_licenses
from stages.publish import paths
from stages.publish.facts import METRICS, ReleaseFacts
from stages.publish.licenses.obligations import find_hub_name
from stages.publish.licenses.terms import Term
from stages.publish.links import list_links
from stages.publish.rendering import create_html_environment, read_asset, render_markdown

if TYPE_CHECKING:
    from markdown_it.token import Token

_SIZE_CATEGORIES: Final = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
"""The hub's names for numbers of rows, by their upper limits."""
_ROLES: Final = {
    "table_open": "table",
    "thead_open": "rowgroup",
    "tbody_open": "rowgroup",
    "tr_open": "row",
    "th_open": "columnheader",
    "td_open": "cell",
}
"""The roles of the elements of a table, which a browser drops if a style shows them as blocks."""


def render_card(facts: ReleaseFacts) -> str:
    """Render the card as Markdown, with its front matter."""
    kinds = {*facts.findings.labeled_personal_data, *facts.findings.unlabeled_personal_data}
    return render_markdown(
        "card.md.jinja",
        facts,
        front_matter=yaml.safe_dump(build_front_matter(facts), sort_keys=False, allow_unicode=True),
        to_attribute={
            source
            for obligation in facts.obligations
            if obligation.term is Term.ATTRIBUTION
            for source in obligation.sources
        },
        personal_kinds=sorted(kinds),
        metrics=METRICS,
    )


def build_front_matter(facts: ReleaseFacts) -> dict[str, Any]:
    """Build the metadata that the hub reads from a card."""
    params = facts.params
    licenses = sorted({name for expression in facts.licenses for name in list_licenses(expression)})
    hub_names = list(dict.fromkeys(map(find_hub_name, licenses)))
    others = [name for name in licenses if find_hub_name(name) == "other"]
    data_files = [{"split": split.name, "path": split.file.path} for split in facts.splits if split.rows]
    return {
        "pretty_name": params.title,
        "license": hub_names[0] if len(hub_names) == 1 else hub_names,
        **({"license_name": ", ".join(others).lower()} if others else {}),
        "language": list(params.languages),
        "size_categories": [
            next((name for limit, name in _SIZE_CATEGORIES if facts.exemplars < limit), "n>10M")
        ],
        "task_categories": ["text-generation", "token-classification"],
        "tags": ["function-calling", "tool-use", "exemplars"],
        "configs": [{"config_name": "default", "data_files": data_files}],
    }


def render_card_page(card: str, title: str) -> str:
    """Render the card as an HTML page; HTML within the Markdown is shown as text.

    card: as `render_card` returns it.
    """
    from markdown_it import MarkdownIt

    text = card.split("---\n", 2)[2]
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    _mark_tables(tokens)
    body = markdown.renderer.render(tokens, markdown.options, {})
    return (
        create_html_environment()
        .get_template("card.html.jinja")
        .render(
            title=title, body=Markup(body), style=read_asset("page.css"), links=list_links(paths.CARD_PAGE)
        )
    )


def _mark_tables(tokens: Sequence[Token]) -> None:
    """Give tables the roles and labels that let `page.css` show their rows as lists on a phone."""
    headings: list[str] = []
    column = 0
    table: Token | None = None
    for token, following in pairwise(tokens):
        if token.type == "table_open":
            headings, table = [], token
        elif token.type == "tr_open":
            column = 0
        elif token.type == "th_open":
            headings.append(following.content)
        elif token.type == "td_open":
            token.attrSet("data-label", headings[column])
            column += 1
        elif token.type == "thead_close" and table is not None:
            table.attrSet("class", "stacked" if len(headings) > 2 else "narrow compact")
        if role := _ROLES.get(token.type):
            token.attrSet("role", role)
