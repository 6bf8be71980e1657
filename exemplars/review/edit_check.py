"""Edits of a row, checked by the compiler before they are saved."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated

import msgspec
import polars as pl

from exemplars.core import layout
from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.ledger import format_place
from exemplars.core.params import composes_values, load_section, read_source_settings
from exemplars.core.records import Exemplar, LabelledArgument, Mode, Reason, Record, Rejection
from exemplars.core.reviews import Resolution, ReviewedArgument, ReviewedRow, RowContent, describe_row
from exemplars.dataset.catalog import Skill, read_catalog
from exemplars.dataset.recognizers import merge_recognizers, read_recognizers
from stages.compile.edits import EditCompiler, RowVersion
from stages.compile.exemplars import SourceRules, compile_record
from stages.compile.inputs import build_rules
from stages.compile.lexicon import Lexicon
from stages.compile.params import CompileParams
from stages.ingest.jsonl_lines import normalize_slot

Resolutions = Mapping[RowContent, Resolution]
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
    utterance: Text | None = None
    """`None`: as it was."""


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
    """Compiles edited rows as the stage will: with its catalog, its recognizers and its rules."""

    def __init__(self) -> None:
        """Read what the compiler needs. Raises `UserError` if any of it is missing or malformed."""
        params, settings = load_section("compile", CompileParams), read_source_settings()
        sources = [name for name in params.sources or settings if layout.source_catalog(name).exists()]
        recognizers = [
            read_recognizers(layout.find_schema(params.recognizers)),
            *(read_recognizers(layout.source_recognizers(name)) for name in sources),
        ]
        composing = {name for name in sources if composes_values(settings.get(name, {}))}
        catalogs = {name: read_catalog(layout.source_catalog(name)) for name in sources}
        lexicon, rules = Lexicon(merge_recognizers(recognizers)), build_rules(composing, catalogs)
        self.skills = {skill.name: skill for skill in read_catalog(layout.CATALOG)}
        self._compile = partial(_compile, skills=self.skills, lexicon=lexicon, rules=rules)
        self._compiler = EditCompiler(self.skills, lexicon, rules)

    def check(
        self, exemplar: Exemplar, edit: Edit, resolutions: Resolutions, *, shares_turn: bool
    ) -> CheckedEdit:
        """Compile a row with the labels of an edit.

        exemplar: the row as it is. resolutions: the decisions that count, some of which have made the row what it is.
        shares_turn: whether its turn has more calls. Raises `UserError` if the record of the row cannot be read.
        """
        after = _describe_edit(edit, exemplar)
        if not all(argument.slot.strip() for argument in edit.arguments):
            message = "found an argument without a slot; name the slot, or remove the argument"
            return CheckedEdit(after, None, message, "", Reason.UNKNOWN_SLOT)
        row = self._find_version(exemplar, resolutions, shares_turn)
        compiled = self._compiler.compile(row, after)
        if isinstance(compiled, Rejection):
            message = compiled.message.removeprefix(f"{format_place(exemplar.origin)}: ")
            return CheckedEdit(after, None, message, compiled.slot, compiled.reason.value)
        # Two reviewers who want the same should have said the same, whichever way they came there.
        full = describe_row(compiled.exemplar)
        again = self._compiler.compile(row, full)
        is_same = isinstance(again, RowVersion) and again.exemplar.digest == compiled.exemplar.digest
        is_changed = compiled.exemplar.digest != exemplar.digest
        return CheckedEdit(full if is_same else after, compiled.exemplar, is_changed=is_changed)

    def _find_version(self, exemplar: Exemplar, resolutions: Resolutions, shares_turn: bool) -> RowVersion:
        """Find the record that compiles to a row: that of its source, after the edits that were applied."""
        record = _read_record(exemplar)
        compiled = self._compile(record)
        if isinstance(compiled, Exemplar):
            row, _ = self._compiler.apply(RowVersion(record, compiled, shares_turn), resolutions)
            for version in (RowVersion(record, compiled, shares_turn), row):
                if version.exemplar.digest == exemplar.digest:
                    return version
        # An edit was withdrawn since, or the stage has not run since.
        return RowVersion(_label_again(record, exemplar), exemplar, shares_turn)


def _compile(
    record: Record, *, skills: Mapping[str, Skill], lexicon: Lexicon, rules: Mapping[str, SourceRules]
) -> Exemplar | Rejection:
    return compile_record(record, skills, lexicon, rules[record.source])


def _read_record(exemplar: Exemplar) -> Record:
    """Read the record of a row. Raises `UserError` if `ingest` has not written it."""
    path = layout.records(exemplar.source)
    try:
        found = pl.scan_parquet(path).filter(pl.col("id") == exemplar.id).collect()
    except (pl.exceptions.PolarsError, OSError):
        found = pl.DataFrame()
    if found.is_empty():
        problem = Diagnostic(
            path=str(path),
            code="no_record",
            found=f"no record {exemplar.id}",
            expected="that of the row",
            fix="run `dvc repro`",
        )
        raise UserError([problem])
    return msgspec.convert(found.row(0, named=True), Record)


def _label_again(record: Record, exemplar: Exemplar) -> Record:
    """Return a record with the labels of a row."""
    labels = tuple(
        LabelledArgument(
            argument.slot,
            argument.value,
            () if argument.surface is None else (argument.surface,),
            argument.start,
            argument.end,
            accepted=argument.accepted,
            grounding=argument.grounding,
        )
        for argument in exemplar.arguments
    )
    return msgspec.structs.replace(
        record,
        utterance=exemplar.utterance,
        skill=exemplar.skill,
        service=exemplar.service,
        mode=exemplar.mode,
        arguments=labels,
        exemplar=None,
    )


def _describe_edit(edit: Edit, exemplar: Exemplar) -> ReviewedRow:
    """Describe what an edit wants; an argument whose text it leaves as it was keeps what is known of it."""
    utterance = exemplar.utterance if edit.utterance is None else edit.utterance
    known = {
        (argument.slot, argument.value, argument.surface): argument
        for argument in describe_row(exemplar).arguments
    }
    arguments = []
    for argument in edit.arguments:
        slot = normalize_slot(argument.slot.strip())
        start, end = argument.start, argument.end
        surface = None if start is None or end is None else utterance[start:end]
        wanted = ReviewedArgument(slot, argument.value, surface if argument.means else None, start, end)
        same = known.get((slot, argument.value, surface))
        arguments.append(wanted if same is None else msgspec.structs.replace(same, start=start, end=end))
    return ReviewedRow(utterance, edit.skill, edit.mode, tuple(arguments))
