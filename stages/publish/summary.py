"""The public summary of training content, which follows the template of the European Commission."""

from __future__ import annotations

from typing import Final

from stages.publish.facts import ReleaseFacts
from stages.publish.params import SourceKind
from stages.publish.rendering import render_markdown

SECTIONS: Final = (
    ("Publicly available datasets", SourceKind.PUBLIC),
    ("Private datasets of third parties", SourceKind.LICENSED),
    ("Data crawled and scraped from online sources", SourceKind.CRAWLED),
    ("User data", SourceKind.USERS),
    ("Synthetic data", SourceKind.SYNTHETIC),
    ("Other sources", SourceKind.WRITTEN),
    ("Sources without a statement", None),
)
"""The sections of the template's list of sources, by the kind of source, and a last one for what is missing."""


def render_content_summary(facts: ReleaseFacts) -> str:
    """Render the summary as Markdown."""
    length = sum(split.file.length for split in facts.splits)
    return render_markdown("summary.md.jinja", facts, sections=SECTIONS, length=length)
