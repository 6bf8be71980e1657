"""Sources at URLs, copied once for an erasure, so that it reads and searches them as it does folders of the project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

from exemplars.core.layout import is_url
from stages.ingest.params import IngestParams
from stages.ingest.remote_folders import open_source_folder

Copies = Mapping[str, Path]
"""The copies of the folders at URLs, by their URLs as `params.yaml` has them."""
NO_COPIES: Final[Copies] = MappingProxyType({})


@contextmanager
def copy_sources(params: IngestParams) -> Iterator[Copies]:
    """Yield copies of the sources at URLs; they are removed after the block.

    Raises `UserError` if a URL cannot be read: what is there might be what is to be erased.
    """
    urls = sorted({source.path for source in params.sources.values() if is_url(source.path)})
    with ExitStack() as stack:
        yield {url: stack.enter_context(open_source_folder(url)) for url in urls}


def use_copies(params: IngestParams, copies: Copies) -> IngestParams:
    """Replace the URLs of sources by the folders of their copies."""
    sources = {
        name: msgspec.structs.replace(source, path=str(copies.get(source.path, source.path)))
        for name, source in params.sources.items()
    }
    return msgspec.structs.replace(params, sources=sources)
