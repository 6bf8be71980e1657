"""Croissant metadata: what the splits' Parquet files hold, so that a program can load their rows.

https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html. Files are named relative to the document,
which is how `mlcroissant` finds them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from exemplars.core.schemas import EXEMPLAR_SCHEMA
from stages.publish import paths
from stages.publish.facts import Facts, SplitFacts
from stages.publish.licenses.expressions import licences_in

CONFORMS_TO: Final = "http://mlcommons.org/croissant/1.1"
PARQUET: Final = "application/x-parquet"
DESCRIPTIONS: Final = {
    "id": "`<source>:<file>#<locator>`; the same on every rebuild of the same input.",
    "digest": "SHA-256 of the row's content: utterance, context, skill, mode and arguments.",
    "source": "The source that the row is from.",
    "service": "The API family that the skill belongs to; null: none.",
    "skill": "The function that is called; null: none is asked for.",
    "mode": "normal (says it), extended (means it, given the context), negative (declines it), none.",
    "utterance": "What the user said, unchanged.",
    "exemplar": "The utterance with each located value replaced by <slot>.",
    "arguments": "The arguments; utterance[start:end] == surface in code points, null where not located.",
    "context": "The turns before, oldest first.",
    "group": "What no split tears apart: a dialogue, a cluster of examples.",
    "license": "SPDX expression of the source.",
    "origin": "The file that the row is from, its SHA-256, and the line or JSON Pointer in it.",
    "split": "The split that the source prescribes; null where it prescribes none.",
}
"""What the columns of a split mean."""
_TYPES: Final = {pa.string(): "sc:Text", pa.int32(): "sc:Integer"}
_TERMS: Final = (
    *("citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty", "fileSet"),
    *("format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet"),
    *("references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField"),
    "transform",
)
_CONTEXT: Final = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{name: f"cr:{name}" for name in _TERMS},
}


def croissant(facts: Facts) -> dict[str, Any]:
    """The document, as JSON-LD: a file and a set of records for each split that has rows."""
    about = facts.about
    splits = [split for split in facts.splits if split.rows]
    licences = sorted({one for expression in facts.licences for one in licences_in(expression)})
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": about.name,
        "alternateName": about.title,
        "description": about.description,
        "url": about.url,
        "version": about.version,
        "datePublished": about.released.isoformat(),
        "inLanguage": list(about.languages),
        "license": [_licence_url(one) for one in licences],
        "creator": {"@type": "sc:Organization", "name": about.publisher.name},
        "citeAs": f"{about.publisher.name}: {about.title}, version {about.version} ({about.released.year})",
        "isLiveDataset": False,
        "rai:dataCollection": " ".join(
            f"{one.name}: {one.statement.about}" for one in facts.sources if one.statement is not None
        ),
        "rai:dataLimitations": list(about.limits),
        "rai:dataUseCases": list(about.intended_use),
        "distribution": [_file(split) for split in splits],
        "recordSet": [_records(split) for split in splits],
    }


def _licence_url(licence: str) -> str:
    own = licence.startswith(("LicenseRef-", "DocumentRef-")) or " WITH " in licence
    return licence if own else f"https://spdx.org/licenses/{licence}"


def _file(split: SplitFacts) -> dict[str, Any]:
    path = Path(split.file.path)
    return {
        "@type": "cr:FileObject",
        "@id": path.name,
        "name": path.name,
        "description": f"The rows of the split {split.name}; data hash {split.data_hash}.",
        "contentUrl": os.path.relpath(path, paths.CROISSANT.parent).replace(os.sep, "/"),
        "contentSize": f"{split.file.length} B",
        "encodingFormat": PARQUET,
        "sha256": split.file.sha256,
    }


def _records(split: SplitFacts) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": split.name,
        "name": split.name,
        "description": f"{split.rows} exemplars of {split.groups} groups.",
        "key": {"@id": f"{split.name}/id"},
        "field": [_field(split, field) for field in EXEMPLAR_SCHEMA],
    }


def _field(split: SplitFacts, field: pa.Field) -> dict[str, Any]:
    """A column; of a struct, or a list of structs, with a field below it for each member."""
    repeated = pa.types.is_list(field.type)
    type_ = field.type.value_type if repeated else field.type
    place = f"{split.name}/{field.name}"
    described = {
        "@type": "cr:Field",
        "@id": place,
        "name": field.name,
        "description": DESCRIPTIONS[field.name],
        **({"repeated": True} if repeated else {}),
    }
    source = {"fileObject": {"@id": Path(split.file.path).name}, "extract": {"column": field.name}}
    if not pa.types.is_struct(type_):
        return {**described, "dataType": _TYPES[type_], "source": source}
    members = [type_.field(number) for number in range(type_.num_fields)]
    return {
        **described,
        "subField": [
            {
                "@type": "cr:Field",
                "@id": f"{place}/{member.name}",
                "name": member.name,
                "dataType": _TYPES[member.type],
                "source": {**source, "transform": {"jsonPath": f"$.{member.name}"}},
            }
            for member in members
        ],
    }
