"""Splits as chat rows, and the ledger of what cannot be one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from exemplars.core.digests import stable_fraction
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ids import is_speech_id, make_view_id, strip_speech
from exemplars.core.records import Exemplar, Mode, Reason, Rejection
from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.models.rows import Message, TrainingRow
from stages.render.params import RenderParams
from stages.render.prompt_checks import Ready, proved
from stages.render.prompts import Refused, need_of, prompts_of
from stages.render.tools import skills_of_utterances, tools_of_rows, utterance_key


class RenderedSplit(NamedTuple):
    """The rows of one split."""

    ready: tuple[Ready, ...]
    refused: tuple[Refused, ...]
    asked: int
    """Prompts that were made or refused: ready and refused together."""


def rendered_split(
    exemplars: Sequence[Exemplar],
    skills: Mapping[str, Skill],
    tokenizer: Any,
    params: RenderParams,
    limit: int,
    train: bool,
    most: int | None = None,
) -> RenderedSplit:
    """All chat rows of a split, each proved.

    limit: the most tokens of a row. most: the most exemplars; null: all.
    train: whether rows that ask for nothing are bounded, and rows share lists of tools.
    """
    ready: list[Ready] = []
    exemplars, left_out = drawn(exemplars, most, params.salt)
    refused = [
        Refused(one, Reason.NOT_DRAWN, f"more than {most} exemplars", "raise render.max_rows")
        for one in left_out
    ]
    over = _over_share(exemplars, params) if train else frozenset()
    called = skills_of_utterances(exemplars)
    needs = [
        need_of(one, called.get(utterance_key(one), frozenset()) - {one.skill}, params)
        for one in exemplars
        if one.id not in over
    ]
    names = sorted(skills)
    tools = tools_of_rows(needs, names, params.distractors, params.rows_a_list if train else 1)
    for one in exemplars:
        if one.id in over:
            found = f"more than a share of {params.max_none_share:g} that asks for nothing"
            refused.append(Refused(one, Reason.OVER_SHARE, found, "raise render.max_none_share"))
            continue
        for prompt in prompts_of(one, skills, tools[one.id], params):
            result = (
                prompt
                if isinstance(prompt, Refused)
                else proved(prompt, tokenizer, limit, params.call_format)
            )
            if isinstance(result, Refused):
                refused.append(result)
            else:
                ready.append(result)
    return RenderedSplit(tuple(ready), tuple(refused), len(ready) + len(refused))


def drawn(
    exemplars: Sequence[Exemplar], most: int | None, salt: str
) -> tuple[list[Exemplar], list[Exemplar]]:
    """The first exemplars by stable hash of their id, at most so many, and the others, in their order.

    A speech view goes with the row that it is a view of, and does not count.
    """
    names = sorted({strip_speech(one.id) for one in exemplars}, key=lambda name: stable_fraction(name, salt))
    kept = set(names[:most])
    return [one for one in exemplars if strip_speech(one.id) in kept], [
        one for one in exemplars if strip_speech(one.id) not in kept
    ]


def check_supervised(splits: Mapping[str, RenderedSplit], params: RenderParams) -> None:
    """Raise `UserError` for each view of the train split in which nothing is supervised."""
    found = {one.prompt.view for one in splits["train"].ready}
    problems = [
        Diagnostic(
            path=f"render.views: {view}",
            code="nothing_supervised",
            found="no train row that passes the proof of readiness"
            + "".join(f"; {reason}: {count}" for reason, count in _reasons(splits["train"]).items()),
            expected="at least one",
            fix="see data/training/rejections.parquet for each row's reason, or leave the view out",
        )
        for view in params.views
        if view not in found
    ]
    if problems:
        raise UserError(problems)


def training_rows(split: RenderedSplit, skills: Mapping[str, Skill]) -> list[TrainingRow]:
    """The chat rows of a split, sorted by id."""
    rows = [_make_row(one, skills) for one in split.ready]
    return sorted(rows, key=lambda row: row.id)


def rejections(splits: Mapping[str, RenderedSplit]) -> list[Rejection]:
    """The ledger of all splits, sorted by id."""
    found = [_rejection(one) for split in splits.values() for one in split.refused]
    return sorted(found, key=lambda one: (one.id, one.reason))


def _over_share(exemplars: Sequence[Exemplar], params: RenderParams) -> frozenset[str]:
    """The ids of the rows of mode `none` that are too many: the last ones by stable hash."""
    silent = [one for one in exemplars if one.mode == Mode.NONE]
    others = len(exemplars) - len(silent)
    share = params.max_none_share
    most = len(silent) if share == 1 else int(others * share / (1 - share))
    silent.sort(key=lambda one: stable_fraction(one.digest, params.salt))
    return frozenset(one.id for one in silent[most:])


def _make_row(ready: Ready, skills: Mapping[str, Skill]) -> TrainingRow:
    prompt, exemplar = ready.prompt, ready.prompt.exemplar
    definitions = [build_tool_definition(skills[name]) for name in prompt.tools]
    return TrainingRow(
        id=make_view_id(exemplar.id, prompt.view, prompt.slot),
        exemplar_id=exemplar.id,
        digest=exemplar.digest,
        source=exemplar.source,
        service=exemplar.service,
        skill=exemplar.skill,
        mode=exemplar.mode,
        group=exemplar.group,
        license=exemplar.license,
        origin=exemplar.origin,
        view=prompt.view,
        slot=prompt.slot,
        speech=is_speech_id(exemplar.id),
        utterance=exemplar.utterance,
        messages=tuple(Message(**message) for message in prompt.messages),
        tools=msgspec.json.encode(definitions).decode(),
        call=prompt.skill,
        answers=prompt.answers,
        input_ids=tuple(ready.input_ids),
        prompt_tokens=ready.prompt_tokens,
    )


def _rejection(refused: Refused) -> Rejection:
    one = refused.exemplar
    return Rejection(
        id=one.id,
        source=one.source,
        stage="render",
        reason=refused.reason,
        message=f"{one.origin.path}#{one.origin.locator}: found {refused.found}; {refused.fix}",
        origin=one.origin,
        group=one.group,
        skill=one.skill,
        utterance=one.utterance,
    )


def _reasons(split: RenderedSplit) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in split.refused:
        counts[one.reason] = counts.get(one.reason, 0) + 1
    return dict(sorted(counts.items()))


def speech_of(views: Sequence[Exemplar], split: str) -> Iterator[Exemplar]:
    """The speech views that go along with a split."""
    return (one for one in views if one.split == split)
