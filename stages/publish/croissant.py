"""Croissant metadata: a description of the splits' Parquet files with which programs load their rows.

https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html. Files are named relative to the document,
which is how `mlcroissant` finds them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from exemplars.core.licenses import list_licenses
from exemplars.core.schemas import EXEMPLAR_SCHEMA
from stages.publish import paths
from stages.publish.facts import ReleaseFacts, SplitSummary

CONFORMS_TO: Final = "http://mlcommons.org/croissant/1.1"
PARQUET: Final = "application/x-parquet"
DESCRIPTIONS: Final = {
    "id": "`<source>:<file>#<locator>`; the same on every rebuild of the same input.",
    "digest": "SHA-256 of the row's content: utterance, speaker, context, skill, mode, arguments and reply.",
    "source": "The source that the row comes from.",
    "turn": "The id of the turn; several rows with one turn are the several calls that it asks for.",
    "call": "The position of this call among the calls of the turn, from 0.",
    "service": "The API family that the skill belongs to; null if the skill has no family.",
    "skill": "The function that is called; null if no call is asked for.",
    "mode": "normal (says it), extended (means it, given the context), negative (declines it), none.",
    "speaker": "Who says the utterance: user, or tool where the call follows a tool's result.",
    "utterance": "What that speaker said, unchanged.",
    "exemplar": "The utterance with each located value of the call replaced by <path>.",
    "arguments": "The leaves of the arguments; utterance[start:end] == surface in code points, null if not located.",
    "reply": "What the assistant says in addition to, or instead of, a call; null if nothing.",
    "context": "The turns before, oldest first.",
    "group": "Rows of a group are always in the same split: a dialogue, or a cluster of examples.",
    "license": "SPDX expression of the source.",
    "origin": "The file that the row comes from, its SHA-256, and the line or JSON Pointer in it.",
    "split": "The split that the source prescribes; null if it prescribes none.",
}
"""The meaning of each column of a split."""
_DATA_TYPES: Final = {pa.string(): "sc:Text", pa.int32(): "sc:Integer"}
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


def build_croissant(facts: ReleaseFacts) -> dict[str, Any]:
    """Build the document, as JSON-LD: a file and a record set for each split that has rows."""
    params = facts.params
    splits = [split for split in facts.splits if split.rows]
    licenses = sorted({name for expression in facts.licenses for name in list_licenses(expression)})
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": params.name,
        "alternateName": params.title,
        "description": params.description,
        "url": params.url,
        "version": params.version,
        "datePublished": params.released.isoformat(),
        "inLanguage": list(params.languages),
        "license": [_identify_license(name) for name in licenses],
        "creator": {"@type": "sc:Organization", "name": params.publisher.name},
        "citeAs": f"{params.publisher.name}: {params.title}, version {params.version} ({params.released.year})",
        "isLiveDataset": False,
        "rai:dataCollection": " ".join(
            f"{source.name}: {source.statement.about}"
            for source in facts.sources
            if source.statement is not None
        ),
        "rai:dataLimitations": list(params.limits),
        "rai:dataUseCases": list(params.intended_use),
        "distribution": [_describe_file(split) for split in splits],
        "recordSet": [_describe_records(split) for split in splits],
    }


def _identify_license(name: str) -> str:
    """Return the URL of a license at SPDX, or its name if SPDX has no page for it."""
    has_page = not name.startswith(("LicenseRef-", "DocumentRef-")) and " WITH " not in name
    return f"https://spdx.org/licenses/{name}" if has_page else name


def _describe_file(split: SplitSummary) -> dict[str, Any]:
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


def _describe_records(split: SplitSummary) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": split.name,
        "name": split.name,
        "description": f"{split.rows} exemplars of {split.groups} groups.",
        "key": {"@id": f"{split.name}/id"},
        "field": [_describe_field(split, field) for field in EXEMPLAR_SCHEMA],
    }


def _describe_field(split: SplitSummary, field: pa.Field) -> dict[str, Any]:
    """Describe a column; a struct, or a list of structs, has a field for each of its members."""
    repeated = pa.types.is_list(field.type)
    type_ = field.type.value_type if repeated else field.type
    field_id = f"{split.name}/{field.name}"
    description = {
        "@type": "cr:Field",
        "@id": field_id,
        "name": field.name,
        "description": DESCRIPTIONS[field.name],
        **({"repeated": True} if repeated else {}),
    }
    source = {"fileObject": {"@id": Path(split.file.path).name}, "extract": {"column": field.name}}
    if not pa.types.is_struct(type_):
        return {**description, "dataType": _DATA_TYPES[type_], "source": source}
    members = [type_.field(number) for number in range(type_.num_fields)]
    return {
        **description,
        "subField": [_describe_member(field_id, member, source) for member in members],
    }


def _describe_member(field_id: str, member: pa.Field, source: dict[str, Any]) -> dict[str, Any]:
    """Describe a member of a struct; a list of texts is repeated."""
    repeated = pa.types.is_list(member.type)
    return {
        "@type": "cr:Field",
        "@id": f"{field_id}/{member.name}",
        "name": member.name,
        "dataType": _DATA_TYPES[member.type.value_type if repeated else member.type],
        **({"repeated": True} if repeated else {}),
        "source": {**source, "transform": {"jsonPath": f"$.{member.name}"}},
    }
