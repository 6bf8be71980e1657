"""Rows and parameters that tests of rendering share."""

from __future__ import annotations

import msgspec

from exemplars.core.records import Argument, Exemplar, Grounding, Mode, Origin, Speaker, Turn
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.models.base_models import FolderBase
from exemplars.models.calls import CallFormat
from exemplars.models.prompt_style import ToolForm, Values
from exemplars.models.rows import View
from stages.render.params import MaxRows, RenderParams

SKILLS = {
    skill.name: skill
    for skill in (
        Skill("call", parameters=(Parameter("contact"), Parameter("device", enum=("home", "work")))),
        Skill("set_timer", parameters=(Parameter("minutes", type="integer"), Parameter("label"))),
        Skill("weather", parameters=(Parameter("location"), Parameter("day"))),
    )
}
PARAMS = RenderParams(
    base=FolderBase(path="base", license="Apache-2.0"),
    views=(View.CALL,),
    call_format=CallFormat.PYTHON,
    tools=ToolForm.COMPACT,
    values=Values.SPOKEN,
    context_turns=2,
    distractors=1,
    rows_a_list=1,
    without_tool=0.0,
    max_none_share=1.0,
    max_tokens=400,
    max_rows=MaxRows(),
    salt="s",
    instruction="Call one.",
)


def params(**changes: object) -> RenderParams:
    return msgspec.structs.replace(PARAMS, **changes)


def argument(slot: str, value: str, surface: str | None = None, grounding: str = "verbatim") -> Argument:
    return Argument(slot, value, surface, None, None, Grounding(grounding))


def exemplar(
    utterance: str,
    skill: str | None = "call",
    *arguments: Argument,
    mode: str = "normal",
    before: tuple[str, ...] = (),
    group: str = "g",
) -> Exemplar:
    """Build a row. before: the preceding turns; user and assistant alternate, the assistant comes last."""
    speakers = [Speaker.ASSISTANT, Speaker.USER]
    turns = tuple(
        Turn(speakers[(len(before) - 1 - position) % 2], text) for position, text in enumerate(before)
    )
    return Exemplar(
        id=f"s:{utterance}",
        digest=f"{utterance} {skill}".encode().hex().ljust(64, "0")[:64],
        source="s",
        turn=f"s:{utterance}",
        call=0,
        service=None,
        skill=skill,
        mode=Mode(mode),
        speaker=Speaker.USER,
        utterance=utterance,
        exemplar=utterance,
        arguments=arguments,
        reply=None,
        context=turns,
        group=group,
        license="Apache-2.0",
        origin=Origin("f.md", "0" * 64, "1"),
    )
