"""Preferences as rows to train on, each proved, and the ledger of those that cannot be used.

Both sides of a preference reach the tokens, decode to what they are, and differ. One about a row has the prompt that
the row has in training. Preferences about rows of validation are kept apart: they are measured, never trained on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from exemplars.core import layout
from exemplars.core.digests import hash_content
from exemplars.core.errors import quote_text
from exemplars.core.ledger import Ledger, Problem, UnreadRecord
from exemplars.core.records import Origin, Reason, Rejection
from exemplars.models.calls import CallFormat, MalformedCall, parse_calls
from exemplars.models.chat_templates import (
    ChatTemplateError,
    find_control_text,
    find_forged_token,
    render_prompt,
    tokenize_chat,
)
from exemplars.models.preference_log import SOURCE, PreferenceLine, make_preference_id, read_preference_lines
from exemplars.models.preference_rows import (
    PreferencePair,
    PreferenceRow,
    Side,
    Verdict,
    format_side,
    hash_pair,
)
from exemplars.models.rows import Message
from stages.render.preference_prompts import PairPrompt, PromptFinder, list_prompt_texts
from stages.render.prompt_checks import check_answer, check_length, encode_messages, report_control_token


class RenderedPreferences(NamedTuple):
    """The preferences of a file: every one is in one of the three."""

    rows: tuple[PreferenceRow, ...] = ()
    """To train on."""
    validation: tuple[PreferenceRow, ...] = ()
    rejections: tuple[Rejection, ...] = ()


class TokenTarget(NamedTuple):
    """What preferences are rendered for."""

    tokenizer: Any
    form: CallFormat
    limit: int
    """The maximum number of tokens of a prompt with an answer."""


class _ProvedSide(NamedTuple):
    text: str
    prompt_ids: tuple[int, ...]
    ids: tuple[int, ...]
    meaning: str
    """Equal for sides that say the same: of calls, whatever the order of their arguments."""


def render_preferences(data: bytes, finder: PromptFinder, target: TokenTarget) -> RenderedPreferences:
    """Render the preferences of a file, in the order of its lines.

    finder: finds their prompts. Raises `UserError` if a preference would be lost.
    """
    ledger, rows = Ledger("render"), []
    sha256 = hash_content(data)
    records: dict[str, UnreadRecord] = {}
    held_out: set[str] = set()
    for line in read_preference_lines(data):
        if line.is_withdrawal:
            continue
        record = _describe_line(line, sha256, finder)
        records[record.id] = record
        row = line.problem or _render_pair(line.pair, record, finder, target)
        if finder.is_validation(line.pair):
            held_out.add(record.id)
        if isinstance(row, Problem):
            ledger.reject(record, row)
        else:
            rows.append(row)
    conflicts = _find_conflicts(rows)
    for row in rows:
        if row.id in conflicts:
            ledger.reject(records[row.id], conflicts[row.id])
    kept = [row for row in rows if row.id not in conflicts]
    ledger.check_conservation(len(records), len(kept))
    return RenderedPreferences(
        tuple(row for row in kept if row.id not in held_out),
        tuple(row for row in kept if row.id in held_out),
        tuple(ledger.rejections),
    )


def _describe_line(line: PreferenceLine, sha256: str, finder: PromptFinder) -> UnreadRecord:
    origin = Origin(layout.RAW_PREFERENCES.name, sha256, str(line.number))
    row_id = make_preference_id(line.number)
    if line.pair is None:
        return UnreadRecord(row_id, SOURCE, row_id, origin)
    exemplar = finder.find_exemplar(line.pair)
    if exemplar is not None:
        return UnreadRecord(row_id, SOURCE, exemplar.group, origin, exemplar.skill, exemplar.utterance)
    said = [message.content for message in line.pair.prompt or () if message.role == "user"]
    return UnreadRecord(row_id, SOURCE, row_id, origin, None, said[-1] if said else None)


def _render_pair(
    pair: PreferencePair | None, record: UnreadRecord, finder: PromptFinder, target: TokenTarget
) -> PreferenceRow | Problem:
    assert pair is not None  # A line without a pair has a problem.
    prompt = finder.find_prompt(pair)
    if isinstance(prompt, Problem):
        return prompt
    if pair.verdict != Verdict.CHOSEN:
        found = "two equally good sides" if pair.verdict == Verdict.TIE else "two wrong sides"
        return Problem(Reason.NO_PREFERENCE, summary=f"the judge found {found}: it counts for ratings alone")
    sides: list[_ProvedSide | None] = []
    for name in ("chosen", "rejected"):
        side: Side | None = getattr(pair, name)
        proved = None if side is None else _prove_side(name, side, prompt, target)
        if isinstance(proved, Problem):
            return proved
        sides.append(proved)
    chosen, rejected = sides
    problem = _check_difference(prompt, chosen, rejected, target.form)
    return problem or _make_row(pair, record, prompt, chosen, rejected, target.tokenizer)


def _prove_side(name: str, side: Side, prompt: PairPrompt, target: TokenTarget) -> _ProvedSide | Problem:
    """Tokenize a side after its prompt, and check that the tokens are that side and nothing else."""
    text, tokenizer = format_side(side, target.form), target.tokenizer
    for place, content in ((f"the side {name}", text), *list_prompt_texts(prompt)):
        if token := find_control_text(tokenizer, content):
            return report_control_token(token, place)
    messages = encode_messages((*prompt.messages, Message("assistant", text)))
    try:
        chat = tokenize_chat(tokenizer, messages, prompt.template_tools)
    except ChatTemplateError as error:
        found = f"a chat template that fails: {error}"
        return Problem(Reason.NOT_SUPERVISED, found, fix="use a chat template that accepts such turns")
    if token := find_forged_token(tokenizer, messages, prompt.template_tools, chat):
        return report_control_token(token, f"the side {name} in its chat")
    problem = check_length(chat, target.limit) or check_answer(text, chat, tokenizer)
    if problem is None and prompt.prompt_ids not in (None, tuple(chat.prompt)):
        summary = "the chat template writes the row's prompt differently before another answer"
        problem = Problem(Reason.NOT_SUPERVISED, summary=summary, fix="use a chat template that does not")
    problem = problem or _check_calls(name, side, text, prompt, target.form)
    return problem or _ProvedSide(
        text, tuple(chat.prompt), tuple(chat.completion), _normalize(text, target.form)
    )


def _check_calls(name: str, side: Side, text: str, prompt: PairPrompt, form: CallFormat) -> Problem | None:
    """Check that calls are parsed as they were meant, and that a preferred call is one of a tool in the prompt."""
    calls = parse_calls(text, form)
    if isinstance(calls, MalformedCall):
        if isinstance(side, str):
            return None
        found = f"{quote_text(text)}, which is parsed as no call: {calls.why}"
        return Problem(Reason.NOT_SUPERVISED, found, fix="check its names and values")
    if not isinstance(side, str) and _encode_calls(calls) != [(call.name, call.arguments) for call in side]:
        return Problem(Reason.NOT_SUPERVISED, f"{quote_text(text)}, which is parsed as a different call")
    missing = sorted({call.skill for call in calls} - prompt.tool_names)
    if name == "chosen" and missing and (prompt.row is not None or prompt.definitions):
        found = f"no {', '.join(missing)} in the prompt"
        return Problem(Reason.TOOL_NOT_IN_PROMPT, found, fix="prefer a call of a tool that the prompt shows")
    return None


def _check_difference(
    prompt: PairPrompt, chosen: _ProvedSide | None, rejected: _ProvedSide | None, form: CallFormat
) -> Problem | None:
    if chosen is not None and rejected is not None and chosen.meaning == rejected.meaning:
        fix = "write two sides that differ, or remove the line"
        return Problem(Reason.EQUAL_SIDES, f"{quote_text(chosen.text)} on both sides", "two sides", fix)
    if (
        rejected is not None
        and prompt.answer is not None
        and _normalize(prompt.answer, form) == rejected.meaning
    ):
        found = f"{quote_text(rejected.text)}, the right answer of the row, as the rejected side"
        fix = "correct the row, or withdraw the preference"
        return Problem(Reason.CONFLICTING_PREFERENCE, found, "a wrong answer", fix)
    return None


def _find_conflicts(rows: Sequence[PreferenceRow]) -> Mapping[str, Problem]:
    """Find preferences that repeat an earlier one, and those that others contradict: their ids, with the problems."""
    problems: dict[str, Problem] = {}
    by_sides: dict[tuple[object, ...], PreferenceRow] = {}
    for row in rows:
        sides = (row.prompt_ids, row.chosen_ids, row.rejected_ids)
        first = by_sides.setdefault(sides, row)
        if first is not row:
            summary = f"line {first.origin.locator} prefers the same"
            problems[row.id] = Problem(Reason.DUPLICATE_RECORD, summary=summary, fix="remove one of the two")
    for row in rows:
        opposite = by_sides.get((row.prompt_ids, row.rejected_ids, row.chosen_ids))
        if opposite is not None:
            summary = f"line {opposite.origin.locator} prefers the opposite"
            fix = "withdraw one of the two"
            problems[row.id] = Problem(Reason.CONFLICTING_PREFERENCE, summary=summary, fix=fix)
    return problems


def _make_row(
    pair: PreferencePair,
    record: UnreadRecord,
    prompt: PairPrompt,
    chosen: _ProvedSide | None,
    rejected: _ProvedSide | None,
    tokenizer: Any,
) -> PreferenceRow:
    proved = chosen or rejected
    assert proved is not None  # A pair has at least one side.
    messages = encode_messages(prompt.messages)
    return PreferenceRow(
        id=record.id,
        pair=pair.id,
        digest=hash_pair(pair),
        row=pair.row,
        exemplar_ids=prompt.row.exemplar_ids if prompt.row else (),
        digests=prompt.row.digests if prompt.row else (),
        source=pair.source,
        kind=pair.kind,
        skill=record.skill,
        group=prompt.group,
        license=prompt.license,
        origin=record.origin,
        messages=prompt.messages,
        tools=msgspec.json.encode(prompt.definitions).decode(),
        prompt=render_prompt(tokenizer, messages, prompt.template_tools),
        prompt_ids=proved.prompt_ids,
        chosen=chosen.text if chosen else None,
        rejected=rejected.text if rejected else None,
        chosen_ids=chosen.ids if chosen else (),
        rejected_ids=rejected.ids if rejected else (),
    )


def _normalize(text: str, form: CallFormat) -> str:
    calls = parse_calls(text, form)
    if isinstance(calls, MalformedCall):
        return text.strip()
    return msgspec.json.encode(_encode_calls(calls), order="deterministic").decode()


def _encode_calls(calls: Iterable[Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(call.skill, dict(call.arguments)) for call in calls]
