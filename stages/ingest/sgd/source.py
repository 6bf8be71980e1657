"""A folder of SGD splits on disk, read one file a worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa

from exemplars.core.digests import hash_content
from exemplars.core.errors import Diagnostic, UserError, quote_text
from exemplars.core.records import Origin, Reason, Record, Rejection
from exemplars.core.workers import map_shards
from exemplars.dataset.recognizers import Recognizers
from exemplars.dataset.row_tables import (
    records_from_table,
    records_to_table,
    rejections_from_table,
    rejections_to_table,
)
from stages.ingest.aliases import learn_aliases
from stages.ingest.files import SourceFile, SourceTables, bad_file_rows, files_in
from stages.ingest.params import OnBadFile, SgdSource
from stages.ingest.reading import SourceFacts, rejected
from stages.ingest.sgd.dialogues import Dialogue, decode_dialogues
from stages.ingest.sgd.rows import DialogueFile, group_of, rows_of
from stages.ingest.sgd.schema import Service, decode_schema, merge_services, skills_of

OFFICIAL_SPLITS: Final = {"train": "train", "dev": "validation", "test": "test"}
"""What the folders of the official release are called here."""

Variants = tuple[str, tuple[str, ...]]
"""A free slot, and several ways to say one value of it."""


class _Shard(NamedTuple):
    """What one file gave; picklable, and cheap to send from a worker."""

    file: DialogueFile
    records: pa.Table
    rejections: pa.Table
    dialogues: tuple[tuple[int, str], ...] = ()
    variants: frozenset[Variants] = frozenset()
    unreadable: tuple[Diagnostic, ...] = ()


def read_sgd_source(
    root: Path, source: SgdSource, facts: SourceFacts, context_turns: int, workers: int
) -> SourceTables:
    """All rows of the splits of a source.

    Raises `UserError` with everything that cannot be read: a folder, a `schema.json`, and, unless
    the source says `on_bad_file: reject`, a dialogue file.
    """
    folders = source.splits or ("",)
    files = [(folder, one) for folder in sorted(folders) for one in _dialogue_files(root, folder)]
    services = merge_services({path: read for folder in folders for path, read in _schema(root, folder)})
    shards = list(
        map_shards(
            partial(_read_file, facts, services, context_turns, source.learn_aliases_from),
            files,
            workers,
            f"ingest {facts.name}",
        )
    )
    unreadable = [one for shard in shards for one in shard.unreadable]
    if unreadable and source.on_bad_file is OnBadFile.FAIL:
        raise UserError(unreadable)
    shards = _without_duplicates(facts, shards)
    aliases = learn_aliases(sorted(set().union(*(shard.variants for shard in shards))))
    return SourceTables(
        records=pa.concat_tables([shard.records for shard in shards]),
        rejections=pa.concat_tables([shard.rejections for shard in shards]),
        skills=tuple(
            skill for name in sorted(services) for skill in skills_of(services[name], _alias_names(aliases))
        ),
        recognizers=aliases,
    )


def variants_of(dialogue: Dialogue, services: Mapping[str, Service]) -> set[Variants]:
    """The ways in which the last states of a dialogue say the values of its free slots."""
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
                    variants.add((name, tuple(ways)))
    return variants


def _dialogue_files(root: Path, folder: str) -> list[SourceFile]:
    return files_in(root, folder, "dialogues_*.json", "a split of the SGD release")


def _schema(root: Path, folder: str) -> Iterable[tuple[str, tuple[Service, ...]]]:
    path = f"{folder}/schema.json" if folder else "schema.json"
    try:
        data = (root / path).read_bytes()
    except FileNotFoundError:
        problem = Diagnostic(
            path=str(root / path),
            code="missing_schema",
            found="no such file",
            expected="the schema.json of the dialogues beside it",
            fix="copy it from the release of the data set",
        )
        raise UserError([problem]) from None
    yield path, decode_schema(path, data)


def _read_file(
    facts: SourceFacts,
    services: Mapping[str, Service],
    context_turns: int,
    learn_from: tuple[str, ...],
    place: tuple[str, SourceFile],
) -> _Shard:
    folder, source_file = place
    data = source_file.path.read_bytes()
    file = DialogueFile(
        facts, source_file.name, hash_content(data), OFFICIAL_SPLITS.get(folder), folder, context_turns
    )
    try:
        decoded = decode_dialogues(file.path, data)
    except UserError as error:
        unreadable = rejections_to_table(bad_file_rows(facts, file.path, file.sha256, error))
        return _Shard(file, records_to_table([]), unreadable, unreadable=error.diagnostics)
    rows = [row for index, one in decoded.dialogues for row in rows_of(file, index, one, services)]
    malformed = [
        rejected(facts, Origin(file.path, file.sha256, f"/{index}"), Reason.MALFORMED_RECORD, [problem])
        for index, problem in decoded.malformed
    ]
    variants = (
        variants_of(one, services)
        for _, one in decoded.dialogues
        if folder in learn_from and group_of(file, one) not in facts.erased_groups
    )
    # Sorted here, in the workers, so that the whole is in order without moving a row.
    rows.sort(key=attrgetter("id"))
    return _Shard(
        file,
        records_to_table([row for row in rows if isinstance(row, Record)]),
        rejections_to_table([*malformed, *(row for row in rows if isinstance(row, Rejection))]),
        tuple((index, group_of(file, one)) for index, one in decoded.dialogues),
        frozenset().union(*variants),
    )


def _without_duplicates(facts: SourceFacts, shards: list[_Shard]) -> list[_Shard]:
    """The shards, with the rows of every dialogue whose id stood before moved to the ledger."""
    counts = Counter(group for shard in shards for _, group in shard.dialogues)
    if all(count == 1 for count in counts.values()):
        return shards
    seen: dict[str, str] = {}
    return [_first_of_each(facts, shard, seen) for shard in shards]


def _first_of_each(facts: SourceFacts, shard: _Shard, seen: dict[str, str]) -> _Shard:
    again: dict[str, str] = {}
    for index, group in shard.dialogues:
        place = f"{shard.file.path}#/{index}"
        if seen.setdefault(group, place) != place:
            again[str(index)] = seen[group]
    records, rejections = records_from_table(shard.records), rejections_from_table(shard.rejections)
    kept = [one for one in records if _dialogue_index(one) not in again]
    moved = [
        _duplicate(facts, one, again[_dialogue_index(one)])
        for one in records
        if _dialogue_index(one) in again
    ]
    return shard._replace(
        records=records_to_table(kept), rejections=rejections_to_table([*rejections, *moved])
    )


def _dialogue_index(record: Record) -> str:
    return record.origin.locator.split("/")[1]


def _duplicate(facts: SourceFacts, record: Record, first: str) -> Rejection:
    problem = Diagnostic(
        path=f"{record.origin.path}#{record.origin.locator}",
        code="duplicate_record",
        found=f"dialogue id {quote_text(record.group.rpartition('/')[2])}, which stands at {first} already",
        expected="an id of its own for every dialogue of a folder",
        fix="remove the dialogue, or give it another id",
    )
    return rejected(
        facts,
        record.origin,
        Reason.DUPLICATE_RECORD,
        [problem],
        skill=record.skill,
        utterance=record.utterance,
        group=record.group,
    )


def _alias_names(aliases: Recognizers) -> str | None:
    return next(iter(aliases.recognizers), None)
