"""The public summary of training content, shaped after the template of the European Commission."""

from __future__ import annotations

from typing import Final

from stages.publish.card import markdown_environment, shared_fields, squeezed
from stages.publish.facts import Facts
from stages.publish.params import Kind

SECTIONS: Final = (
    ("Publicly available data sets", (Kind.PUBLIC,)),
    ("Private data sets of third parties", (Kind.LICENSED,)),
    ("Data crawled and scraped from online sources", (Kind.CRAWLED,)),
    ("User data", (Kind.USERS,)),
    ("Synthetic data", (Kind.SYNTHETIC,)),
    ("Other sources", (Kind.WRITTEN,)),
    ("Sources that nothing was stated about", (None,)),
)
"""The sections of the template's list of sources, and a last one for what is missing in it."""


def content_summary(facts: Facts) -> str:
    """The summary, as Markdown."""
    text = (
        markdown_environment()
        .get_template("summary.md.jinja")
        .render(
            **shared_fields(facts),
            sections=SECTIONS,
            length=sum(one.file.length for one in facts.splits),
        )
    )
    return squeezed(text)
