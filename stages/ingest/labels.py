"""Labels that came with a row of another tool's format: they say what the format has no place for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from exemplars.core.errors import UserError
from exemplars.core.records import Argument, LabelledArgument, Record
from exemplars.dataset.catalog import Skill
from exemplars.dataset.row_labels import CallLabels, RowLabels, find_labels
from stages.ingest.tools import parse_tools


def apply_labels(records: Sequence[Record], labels: RowLabels, context_turns: int) -> list[Record]:
    """Build the records of a row's last turn: its labels, and from the row itself what they do not say.

    records: what a reader finds there without labels, at least one. context_turns: as `ingest` has it.
    """
    said: dict[str, object] = {}
    if labels.turns is not msgspec.UNSET and labels.turns:
        *context, last = labels.turns
        said = {
            "context": tuple(context[-context_turns:]) if context_turns else (),
            "utterance": last.utterance,
            "speaker": last.speaker,
        }
    if labels.reply is not msgspec.UNSET:
        said["reply"] = labels.reply
    return [
        msgspec.structs.replace(_find_record(records, index), call=index, **said, **_read_labels(call))
        for index, call in enumerate(labels.calls)
    ]


def collect_skills(rows: Iterable[Any]) -> tuple[Skill, ...]:
    """Collect the skills that the labels of rows define, each once; what is no definition is left out."""
    skills: dict[str, Skill] = {}
    seen = set()
    for row in rows:
        labels = find_labels(row)
        for tool in labels.tools or () if labels is not None else ():
            data = msgspec.json.encode([tool])
            if data not in seen:
                seen.add(data)
                for skill in _parse_skills(data):
                    skills.setdefault(skill.name, skill)
    return tuple(skills.values())


def _parse_skills(data: bytes) -> tuple[Skill, ...]:
    try:
        return parse_tools("exemplars", data)
    except UserError:
        return ()


def _find_record(records: Sequence[Record], index: int) -> Record:
    """Find the record of a call; the row may have fewer of them than its labels."""
    if index < len(records):
        return records[index]
    return msgspec.structs.replace(records[0], id=f"{records[0].id}/calls/{index}")


def _read_labels(call: CallLabels) -> dict[str, object]:
    return {
        "mode": call.mode,
        "skill": call.skill,
        "service": call.service,
        "arguments": tuple(map(_read_argument, call.arguments)),
    }


def _read_argument(argument: Argument) -> LabelledArgument:
    return LabelledArgument(
        slot=argument.slot,
        value=argument.value,
        spoken=() if argument.surface is None else (argument.surface,),
        start=argument.start,
        end=argument.end,
        accepted=argument.accepted,
        grounding=argument.grounding,
    )
