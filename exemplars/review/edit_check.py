"""Edits of a row, checked by the compiler before they are saved."""

from __future__ import annotations

from typing import Annotated

import msgspec

from exemplars.core import layout
from exemplars.core.errors import quote_text
from exemplars.core.ledger import Problem, format_place
from exemplars.core.params import composes_values, load_section, read_source_settings
from exemplars.core.records import Exemplar, LabelledArgument, Mode, Reason, Record, Rejection
from exemplars.core.reviews import ReviewedArgument, ReviewedRow, describe_row
from exemplars.dataset.catalog import read_catalog
from exemplars.dataset.recognizers import merge_recognizers
from stages.compile.exemplars import SourceRules, compile_record
from stages.compile.inputs import build_rules, read_recognizers
from stages.compile.lexicon import Lexicon
from stages.compile.params import CompileParams
from stages.ingest.jsonl_lines import normalize_slot

Text = Annotated[str, msgspec.Meta(max_length=20_000)]
Offset = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


class EditedArgument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An argument as the form of the page has it."""

    slot: Text
    value: Text
    start: Offset | None = None
    """The span in code points, end exclusive; `None`: the compiler looks for the value."""
    end: Offset | None = None
    means: bool = False
    """Whether the reviewer says that the text of the span means the value."""


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row as the form of the page has it."""

    skill: Text | None
    mode: Mode
    arguments: Annotated[tuple[EditedArgument, ...], msgspec.Meta(max_length=200)] = ()


class CheckedEdit(msgspec.Struct, frozen=True):
    """What the compiler says of an edit."""

    after: ReviewedRow
    exemplar: Exemplar | None
    """The compiled row; `None`: it is rejected."""
    message: str = ""
    """Why: what was found, what was expected, and how to fix it."""
    slot: str | None = None
    """The argument that is wrong, if it is one."""
    reason: str | None = None
    is_changed: bool = True
    """Whether the row differs from what it was."""


class EditChecker:
    """Compiles edited rows with the catalog, the recognizers and the rules of the project."""

    def __init__(self) -> None:
        """Read what the compiler needs. Raises `UserError` if any of it is missing or malformed."""
        params, settings = load_section("compile", CompileParams), read_source_settings()
        sources = [name for name in params.sources or settings if layout.source_catalog(name).exists()]
        recognizers = [
            read_recognizers(layout.find_schema(params.recognizers)),
            *(read_recognizers(layout.source_recognizers(name)) for name in sources),
        ]
        composing = {name for name in sources if composes_values(settings.get(name, {}))}
        self.skills = {skill.name: skill for skill in read_catalog(layout.CATALOG)}
        self._lexicon = Lexicon(merge_recognizers(recognizers))
        self._rules = build_rules(
            composing, {name: read_catalog(layout.source_catalog(name)) for name in sources}
        )
        self._today = {name: str(source["today"]) for name, source in settings.items() if source.get("today")}

    def check(self, exemplar: Exemplar, edit: Edit) -> CheckedEdit:
        """Compile a row with the labels of an edit. exemplar: the row as it is."""
        skill = self.skills.get(edit.skill or "")
        labels = tuple(_label(argument, exemplar) for argument in edit.arguments)
        after = ReviewedRow(exemplar.utterance, edit.skill, edit.mode, tuple(map(_describe_label, labels)))
        problem = _find_contradiction(edit)
        if problem is not None:
            return _refuse(after, problem.sentence, problem.slot, problem.reason)
        record = Record(
            id=exemplar.id,
            turn=exemplar.turn,
            source=exemplar.source,
            utterance=exemplar.utterance,
            mode=edit.mode,
            skill=edit.skill,
            service=exemplar.service if skill is None or edit.skill == exemplar.skill else skill.service,
            arguments=labels,
            context=exemplar.context,
            group=exemplar.group,
            license=exemplar.license,
            origin=exemplar.origin,
            split=exemplar.split,
            today=self._today.get(exemplar.source),
            call=exemplar.call,
            speaker=exemplar.speaker,
            reply=exemplar.reply,
        )
        rules = self._rules.get(exemplar.source, SourceRules())
        compiled = compile_record(record, self.skills, self._lexicon, rules)
        if isinstance(compiled, Rejection):
            message = compiled.message.removeprefix(f"{format_place(exemplar.origin)}: ")
            return _refuse(after, message, compiled.slot, compiled.reason)
        if compiled.digest == exemplar.digest:
            return CheckedEdit(describe_row(compiled), compiled, is_changed=False)
        return CheckedEdit(describe_row(compiled), compiled)


def _label(argument: EditedArgument, exemplar: Exemplar) -> LabelledArgument:
    """Label an argument; what an unchanged one is known to be stays known."""
    slot, span = normalize_slot(argument.slot.strip()), (argument.start, argument.end)
    unchanged = next(
        (
            known
            for known in exemplar.arguments
            if (known.slot, known.value, (known.start, known.end)) == (slot, argument.value, span)
        ),
        None,
    )
    spoken: tuple[str, ...] = ()
    if argument.start is not None and argument.end is not None and (argument.means or unchanged is not None):
        spoken = (exemplar.utterance[argument.start : argument.end],)
    return LabelledArgument(
        slot=slot,
        value=argument.value,
        spoken=spoken,
        start=argument.start,
        end=argument.end,
        accepted=() if unchanged is None else unchanged.accepted,
        grounding=None if unchanged is None else unchanged.grounding,
    )


def _describe_label(label: LabelledArgument) -> ReviewedArgument:
    surface = label.spoken[0] if label.spoken else None
    return ReviewedArgument(label.slot, label.value, surface, label.start, label.end, label.grounding)


def _find_contradiction(edit: Edit) -> Problem | None:
    """Find what no row may be: a mode without its skill, an argument without a slot."""
    if edit.skill is None and edit.mode is not Mode.NONE:
        found, fix = f"mode {edit.mode.value!r} without a skill", "name the skill, or choose the mode 'none'"
        return Problem(Reason.MALFORMED_RECORD, found, "a skill", fix)
    if edit.skill is not None and edit.mode is Mode.NONE:
        found = f"mode 'none' with the skill {quote_text(edit.skill)}"
        return Problem(Reason.MALFORMED_RECORD, found, "no skill", "remove the skill, or choose another mode")
    if any(not argument.slot.strip() for argument in edit.arguments):
        return Problem(
            Reason.UNKNOWN_SLOT, "an argument without a slot", "its name", "name the slot, or remove it"
        )
    return None


def _refuse(after: ReviewedRow, message: str, slot: str | None, reason: Reason) -> CheckedEdit:
    return CheckedEdit(after, None, message, slot, reason.value)
