"""Exported turns that tests of exports share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from exemplars.core.records import Exemplar
from exemplars.dataset.catalog import Skill
from exemplars.export.turns import ExportedTurn, build_turns
from exemplars.models.turns import collect_turns
from stages.render.prompts import build_prompts
from tests.chat_rows import make_training_row
from tests.render.rows import params


def export_turn(
    exemplars: Sequence[Exemplar],
    skills: Mapping[str, Skill],
    names: Sequence[str] | None = None,
    **changes: Any,
) -> ExportedTurn:
    """Render the rows of a turn as `render` does, and export them. names: of the tools of the prompt; `None`: all skills."""
    [turn] = collect_turns(exemplars)
    prompts = build_prompts(turn, skills, list(skills) if names is None else names, params(**changes))
    assert isinstance(prompts, tuple), prompts
    [prompt] = prompts
    row = make_training_row(
        id=turn.id,
        turn=turn.first.turn,
        exemplar_ids=tuple(row.id for row in turn.rows),
        digests=tuple(row.digest for row in turn.rows),
        speaker=turn.first.speaker,
        utterance=turn.first.utterance,
        reply=turn.reply,
        messages=prompt.messages,
        tools=json.dumps(prompt.definitions),
        calls=prompt.calls,
    )
    [exported] = build_turns([row], {exemplar.id: exemplar for exemplar in exemplars}, skills)
    return exported
