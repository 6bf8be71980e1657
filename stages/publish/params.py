"""The section `publish` of `params.yaml`."""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

Written = Annotated[str, msgspec.Meta(pattern=r"\S")]
"""Text that says something."""


class Kind(StrEnum):
    """What a source is, in the words of the European Commission's template for public summaries."""

    PUBLIC = "public"
    """A data set that anybody can get."""
    LICENSED = "licensed"
    """Data got from a third party under a contract."""
    CRAWLED = "crawled"
    """Collected from web sites by software."""
    USERS = "users"
    """From people who use a product or a model."""
    SYNTHETIC = "synthetic"
    """Made by a model."""
    WRITTEN = "written"
    """Written for this purpose."""


class Publisher(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who answers for the data set."""

    name: Written
    contact: str | None = None
    """An e-mail address, or a URL."""


class SourceStatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What nobody can read off the files of a source."""

    about: Written
    kind: Kind
    authors: Written
    """Whom an attribution names."""
    url: str | None = None
    collected: str | None = None
    """When, in words."""


class AcceptedClash(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Licences that clash, and may nevertheless be in one split."""

    licences: Annotated[tuple[Written, ...], msgspec.Meta(min_length=1, max_length=2)]
    reason: Written


class PublishParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What documents say that the data does not."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    title: Written
    description: Written
    version: Annotated[str, msgspec.Meta(pattern=r"^\d+\.\d+\.\d+$")]
    released: datetime.date
    url: Annotated[str, msgspec.Meta(pattern=r"^https?://\S+$")]
    publisher: Publisher
    languages: Annotated[tuple[Written, ...], msgspec.Meta(min_length=1)]
    intended_use: tuple[Written, ...]
    limits: tuple[Written, ...]
    sources: dict[str, SourceStatement] = {}
    accepted_licence_clashes: tuple[AcceptedClash, ...] = ()
    openlineage_url: Annotated[str, msgspec.Meta(pattern=r"^https?://\S+$")] | None = None
