"""A folder of SGD splits on disk, read one file per worker."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import pyarrow as pa

from exemplars.core.digests import hash_content
from exemplars.core.errors import Diagnostic, UserError, quote_text
from exemplars.core.files import read_file
from exemplars.core.ledger import Ledger, Problem, reject_row
from exemplars.core.records import Origin, Reason, Record
from exemplars.core.workers import map_shards
from exemplars.dataset.catalog_merge import find_definition
from exemplars.dataset.recognizers import Recognizers
from exemplars.dataset.row_tables import (
    records_from_table,
    records_to_table,
    rejections_from_table,
    rejections_to_table,
)
from stages.ingest.aliases import AliasLearner
from stages.ingest.file_listing import FileKind, SourceFile, list_files
from stages.ingest.params import OnBadFile, SgdSource
from stages.ingest.reading import STAGE, SourceInfo, collect_rows, make_unread
from stages.ingest.sgd.dialogues import Dialogue, decode_dialogues
from stages.ingest.sgd.first_places import FirstPlaces
from stages.ingest.sgd.rows import DialogueFile, make_group, read_dialogue
from stages.ingest.sgd.schema import Service, decode_schema, make_skills, merge_services
from stages.ingest.source_files import Definitions, RowTables, reject_file

OFFICIAL_SPLITS: Final = {"train": "train", "dev": "validation", "test": "test"}
"""Our names of the splits, by the folders of the official release."""

_DIALOGUE_FILES: Final = FileKind(
    ("dialogues_*.json",),
    "a split of the SGD release",
    rb'(?s)\A(?:\xef\xbb\xbf)?\s*[\[{].*?"dialogue_id"\s*:',
)
Variants = tuple[str, ...]
"""Several ways to say a value of a free slot."""


class _Shard(NamedTuple):
    """What one file holds; picklable, and cheap to send from a worker."""

    file: DialogueFile
    records: pa.Table
    rejections: pa.Table
    dialogues: tuple[tuple[int, str], ...] = ()
    """The index and the group of each dialogue."""
    variants: frozenset[Variants] = frozenset()
    unreadable: tuple[Diagnostic, ...] = ()


def stream_sgd_source(
    root: Path, settings: SgdSource, source: SourceInfo, context_turns: int, workers: int
) -> Generator[RowTables, None, Definitions]:
    """Read the rows of the splits of a source, one file after the other.

    Of several dialogues with one id, all but the first are in the ledger.
    Raises `UserError` with everything that cannot be read: a folder, a `schema.json`, and, unless the source
    has `on_bad_file: reject`, a dialogue file.
    """
    folders = settings.splits or ("",)
    files = [(folder, file) for folder in sorted(folders) for file in _list_dialogue_files(root, folder)]
    schemas = [_read_schema(root, folder) for folder in folders]
    services = merge_services({path: services for path, services, _ in schemas})
    shards = map_shards(
        partial(_read_file, source, services, context_turns, settings.learn_aliases_from),
        files,
        workers,
        f"ingest {source.name}",
        lambda folder_and_file: str(root / folder_and_file[1].name),
    )
    unreadable: list[Diagnostic] = []
    learner = AliasLearner()
    first_places = FirstPlaces()
    for shard in shards:
        unreadable += shard.unreadable
        learner.add(shard.variants)
        shard = _keep_first_dialogues(shard, first_places)
        yield RowTables(shard.records, shard.rejections)
    if unreadable and settings.on_bad_file is OnBadFile.FAIL:
        raise UserError(unreadable)
    aliases = learner.build()
    schema_files = {path: data for path, _, data in schemas}
    skills = tuple(
        msgspec.structs.replace(skill, place=find_definition(name, schema_files))
        for name in sorted(services)
        for skill in make_skills(services[name], _find_recognizer_name(aliases))
    )
    return Definitions(skills, aliases)


def collect_variants(dialogue: Dialogue, services: Mapping[str, Service]) -> set[Variants]:
    """Collect the ways in which the last states of a dialogue, one per service, say the values of free slots."""
    variants: set[Variants] = set()
    seen: set[str] = set()
    for turn in reversed(dialogue.turns):
        for frame in turn.frames:
            if frame.state is None or frame.service in seen or frame.service not in services:
                continue
            seen.add(frame.service)
            for name, ways in frame.state.slot_values.items():
                slot = services[frame.service].slot_by_name.get(name)
                if len(ways) > 1 and slot is not None and not slot.is_categorical:
                    variants.add(tuple(ways))
    return variants


def _list_dialogue_files(root: Path, folder: str) -> list[SourceFile]:
    return list_files(root, folder, _DIALOGUE_FILES)


def _read_schema(root: Path, folder: str) -> tuple[str, tuple[Service, ...], bytes]:
    path = f"{folder}/schema.json" if folder else "schema.json"
    data = read_file(root / path, expected="the schema.json of the dialogues in the same folder")
    return path, decode_schema(path, data), data


def _read_file(
    source: SourceInfo,
    services: Mapping[str, Service],
    context_turns: int,
    learn_from: tuple[str, ...],
    folder_and_file: tuple[str, SourceFile],
) -> _Shard:
    folder, source_file = folder_and_file
    name, split = source_file.name, OFFICIAL_SPLITS.get(folder)
    file = DialogueFile(source, name, "", split, folder, context_turns)
    try:
        data = source_file.read()
        file = file._replace(sha256=hash_content(data))
        decoded = decode_dialogues(name, data)
    except UserError as error:
        rejections = rejections_to_table([reject_file(source, name, file.sha256, error)])
        return _Shard(file, records_to_table([]), rejections, unreadable=error.diagnostics)
    rows = [
        row for index, dialogue in decoded.dialogues for row in read_dialogue(file, index, dialogue, services)
    ]
    malformed = [
        reject_row(make_unread(source, Origin(name, file.sha256, f"/{index}")), STAGE, [problem])
        for index, problem in decoded.malformed
    ]
    groups = [make_group(file, dialogue) for _, dialogue in decoded.dialogues]
    variants = (
        collect_variants(dialogue, services)
        for (_, dialogue), group in zip(decoded.dialogues, groups, strict=True)
        if folder in learn_from and group not in source.erased_groups
    )
    # Sorted here, in the workers, so that the whole is in order without moving a row.
    rows.sort(key=attrgetter("id"))
    reading = collect_rows(rows)
    return _Shard(
        file,
        records_to_table(reading.records),
        rejections_to_table([*malformed, *reading.rejections]),
        tuple((index, group) for (index, _), group in zip(decoded.dialogues, groups, strict=True)),
        frozenset().union(*variants),
    )


def _keep_first_dialogues(shard: _Shard, first_places: FirstPlaces) -> _Shard:
    """Move to the ledger the records of every dialogue whose id an earlier dialogue has.

    first_places: of the dialogues so far; updated.
    """
    repeated = first_places.add(shard.file.path, shard.dialogues)
    if not repeated:
        return shard

    def find_problem(record: Record) -> Problem | None:
        first_place = repeated.get(int(record.origin.locator.split("/")[1]))
        return None if first_place is None else _describe_repetition(record, first_place)

    ledger = Ledger(STAGE)
    records = ledger.keep(records_from_table(shard.records), find_problem)
    rejections = [*rejections_from_table(shard.rejections), *ledger.rejections]
    return shard._replace(records=records_to_table(records), rejections=rejections_to_table(rejections))


def _describe_repetition(record: Record, first_place: str) -> Problem:
    return Problem(
        Reason.DUPLICATE_RECORD,
        f"dialogue id {quote_text(record.group.rpartition('/')[2])} again, after {first_place}",
        "a unique id for each dialogue of a folder",
        "remove the dialogue, or give it a different id",
    )


def _find_recognizer_name(recognizers: Recognizers) -> str | None:
    return next(iter(recognizers.recognizers), None)
