"""From a conversation to its rows: each call of each message of the assistant, or none with the reply."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from exemplars.core.ids import make_row_id
from exemplars.core.ledger import Problem, UnreadRecord, format_place, reject_row, report_incomplete_turn
from exemplars.core.literals import find_excess
from exemplars.core.records import (
    LabelledArgument,
    Mode,
    Origin,
    Reason,
    Record,
    Rejection,
    Speaker,
    Turn,
)
from exemplars.dataset.catalog import Skill
from exemplars.dataset.context_calls import MadeCall, format_context_turn
from exemplars.dataset.leaves import build_arguments, decode_leaf, encode_leaf, list_leaves
from exemplars.dataset.parameters import Parameter
from exemplars.dataset.row_labels import RowLabels
from stages.ingest.chat.conversations import (
    ChatTurn,
    Conversation,
    Dialect,
    Extent,
    Fault,
    Role,
    ToolCall,
)
from stages.ingest.labels import apply_labels
from stages.ingest.reading import STAGE, SourceInfo, make_unread

_WITHOUT_REPLY = (Dialect.BFCL, Dialect.XLAM)
"""The dialects in which an answer without a call says that none is right, and has no text."""


class RowPlace(NamedTuple):
    """Where a row is, and what all that is made of it has in common."""

    source: SourceInfo
    origin: Origin
    """Its locator is the row's: a line, or the JSON Pointer of an item."""
    context_turns: int
    """Maximum number of turns before an utterance that are kept with it."""
    answers: Origin | None = None
    """Where the row's `ground_truth` is, if that is in another file."""

    def locate(self, pointer: str) -> Origin:
        """Build the origin of what a pointer within the row names."""
        return msgspec.structs.replace(self.origin, locator=f"{self.origin.locator}{pointer}")

    def place(self, fault: Fault) -> Problem:
        """Build the problem of a fault, with its place."""
        origin = self.locate(fault.pointer)
        if self.answers is not None and fault.pointer.startswith("/ground_truth"):
            origin = msgspec.structs.replace(self.answers, locator=f"{self.answers.locator}{fault.pointer}")
        return fault.problem._replace(place=format_place(origin))


class _Answer(NamedTuple):
    """What the assistant says at once: one message, or several without another in between."""

    turns: tuple[ChatTurn, ...]
    said: ChatTurn | None
    """The message before."""
    context: tuple[Turn, ...]
    """The messages before that one."""

    @property
    def pointer(self) -> str:
        return self.turns[0].pointer

    @property
    def calls(self) -> list[ToolCall]:
        return [call for turn in self.turns for call in turn.calls]

    @property
    def reply(self) -> str | None:
        return "\n".join(turn.content for turn in self.turns if turn.content) or None

    @property
    def is_supervised(self) -> bool:
        return all(turn.is_supervised for turn in self.turns)


def reject_conversation(place: RowPlace, problem: Problem) -> Rejection:
    """Build the rejection of a row that is no conversation."""
    group = place.source.make_group(f"{place.origin.path}#{place.origin.locator}")
    return reject_row(make_unread(place.source, place.origin, group=group), STAGE, [problem])


def build_rows(
    conversation: Conversation, place: RowPlace, skills: Mapping[str, Skill]
) -> Iterator[Record | Rejection]:
    """Build the rows of a conversation: each call, and each message of the assistant without one, is a row.

    A message with a fault loses all of its calls, and what follows it if it, or what is before it, cannot be read.
    Messages that the source does not want to be learned (`weight: 0`) are context, and no rows.

    skills: the catalog of the source, by name.
    """
    builder = _RowBuilder(conversation, place, skills)
    rows = [row for answer in _list_answers(conversation, place) for row in builder.build_answer(answer)]
    yield from rows
    yield from builder.report_open_faults(nothing_else=not rows)


def build_labelled_rows(
    conversation: Conversation, place: RowPlace, skills: Mapping[str, Skill], labels: RowLabels
) -> Iterator[Record | Rejection]:
    """Build the rows of a conversation that has labels: those of its last answer; all before it is context."""
    turns = conversation.turns
    last = max((index for index, turn in enumerate(turns) if turn.role != Role.ASSISTANT), default=-1)
    context = (msgspec.structs.replace(turn, is_supervised=False) for turn in turns[: last + 1])
    conversation = msgspec.structs.replace(conversation, turns=(*context, *turns[last + 1 :]))
    rows = list(build_rows(conversation, place, skills))
    records = [row for row in rows if isinstance(row, Record)]
    yield from apply_labels(records, labels, place.context_turns) if len(records) == len(rows) else rows


class _RowBuilder:
    def __init__(self, conversation: Conversation, place: RowPlace, skills: Mapping[str, Skill]) -> None:
        self.conversation = conversation
        self.place = place
        self.skills = skills
        self.group = place.source.make_group(_hash_questions(conversation))
        self.positions = {turn.pointer: index for index, turn in enumerate(conversation.turns)}
        self.faults = [(self._find_position(fault.pointer), fault) for fault in conversation.faults]
        self.reported: set[int] = set()
        """The faults that a rejection names, by their index."""

    def _find_position(self, pointer: str) -> int:
        """Find the index of the message that a fault is in, or that follows it; -1: it concerns the whole row."""
        turns = self.conversation.turns
        for index, turn in enumerate(turns):
            if pointer == turn.pointer or pointer.startswith(f"{turn.pointer}/"):
                return index
        key = _make_key(pointer)
        same_list = [index for index, turn in enumerate(turns) if _make_key(turn.pointer)[:1] == key[:1]]
        if len(key) < 2 or not same_list:
            return -1
        later = (index for index in same_list if _make_key(turns[index].pointer) > key)
        return next(later, same_list[-1] + 1)

    def build_answer(self, answer: _Answer) -> Iterator[Record | Rejection]:
        """Build the rows of an answer, or their rejections."""
        first = self.positions[answer.pointer]
        last = first + len(answer.turns) - 1
        faults = [
            (index, fault)
            for index, (position, fault) in enumerate(self.faults)
            if (first <= position <= last) or (position < first and fault.extent is not Extent.MESSAGE)
        ]
        if not answer.is_supervised:
            return
        self.reported.update(index for index, fault in faults if fault.extent is not Extent.UNREAD)
        if faults:
            yield from self._reject_answer(answer, [fault for _, fault in faults])
            return
        labels = [_label_arguments(call, self.skills.get(call.name)) for call in answer.calls]
        wrong = [
            Fault(call.pointer, label)
            for call, label in zip(answer.calls, labels, strict=True)
            if isinstance(label, Problem)
        ]
        if wrong or not (answer.calls or answer.reply or self.conversation.dialect in _WITHOUT_REPLY):
            yield from self._reject_answer(answer, wrong or [_report_silence(answer)])
            return
        for number, (call, arguments) in enumerate(zip(answer.calls, labels, strict=True)):
            assert not isinstance(arguments, Problem)
            yield self._make_record(answer, number, call, arguments)
        if not answer.calls:
            yield self._make_record(answer, 0, None, ())

    def _make_record(
        self, answer: _Answer, number: int, call: ToolCall | None, arguments: tuple[LabelledArgument, ...]
    ) -> Record:
        origin = self.place.locate(answer.pointer if call is None else self._locate_call(answer, number))
        said = answer.said
        is_result = said is not None and said.role == Role.TOOL
        mode = Mode.EXTENDED if is_result else Mode.NORMAL
        return Record(
            id=make_row_id(self.place.source.name, origin),
            turn=make_row_id(self.place.source.name, self.place.locate(answer.pointer)),
            call=number,
            source=self.place.source.name,
            utterance="" if said is None else said.content,
            speaker=Speaker.TOOL if is_result else Speaker.USER,
            mode=Mode.NONE if call is None else mode,
            skill=None if call is None else call.name,
            service=None,
            arguments=arguments,
            reply=answer.reply,
            context=answer.context,
            group=self.group,
            license=self.place.source.license,
            origin=origin,
            today=self.place.source.today,
        )

    def _locate_call(self, answer: _Answer, number: int) -> str:
        """Build the pointer of a call: its own, unless an earlier call of the answer has the same."""
        pointers = [call.pointer.removesuffix("/function") for call in answer.calls]
        if pointers[number] in pointers[:number]:
            return f"{pointers[number]}/{number}"
        return pointers[number]

    def _reject_answer(self, answer: _Answer, faults: Sequence[Fault]) -> Iterator[Rejection]:
        """Reject all calls of an answer, or the answer itself if it has none that can be read."""
        problems = [self.place.place(fault) for fault in faults]
        inside = {
            number: [
                problem
                for fault, problem in zip(faults, problems, strict=True)
                if fault.pointer == call.pointer or fault.pointer.startswith(f"{call.pointer}/")
            ]
            for number, call in enumerate(answer.calls)
        }
        general = [
            problem
            for fault, problem in zip(faults, problems, strict=True)
            if self._find_position(fault.pointer) < 0
        ]
        lost = next((number for number, found in inside.items() if found), None)
        for number, call in enumerate(answer.calls):
            unread = self._describe(self._locate_call(answer, number), answer, call.name)
            if lost is not None and not inside[number]:
                other = self.place.locate(self._locate_call(answer, lost))
                incomplete = report_incomplete_turn(make_row_id(self.place.source.name, other))
                yield reject_row(unread, STAGE, [incomplete])
            else:
                found = [*general, *inside[number]] if inside[number] else problems
                yield reject_row(unread, STAGE, found)
        has_unread = any(fault.extent is Extent.UNREAD and self._is_inside(fault, answer) for fault in faults)
        if not answer.calls and not has_unread:
            yield reject_row(self._describe(answer.pointer, answer), STAGE, problems)

    def _is_inside(self, fault: Fault, answer: _Answer) -> bool:
        return any(
            fault.pointer == turn.pointer or fault.pointer.startswith(f"{turn.pointer}/")
            for turn in answer.turns
        )

    def _describe(self, pointer: str, answer: _Answer | None, skill: str | None = None) -> UnreadRecord:
        said = None if answer is None or answer.said is None else answer.said.content
        origin = self.place.locate(pointer)
        return make_unread(self.place.source, origin, skill=skill, utterance=said, group=self.group)

    def report_open_faults(self, nothing_else: bool) -> Iterator[Rejection]:
        """Reject what cannot be read, and what is wrong although no row has it.

        nothing_else: the conversation has no other rows, so that it needs one if it has no faults, either.
        """
        open_faults = [fault for index, (_, fault) in enumerate(self.faults) if index not in self.reported]
        unread = [fault for fault in open_faults if fault.extent is Extent.UNREAD] or open_faults[:1]
        others = [fault for fault in open_faults if fault not in unread]
        places: set[str] = set()
        for index, fault in enumerate(unread):
            pointer = fault.pointer if fault.pointer not in places else f"{fault.pointer}/{index}"
            places.add(pointer)
            problems = [self.place.place(found) for found in [fault, *([] if index else others)]]
            yield reject_row(self._describe(pointer, None), STAGE, problems)
        if nothing_else and not unread:
            found = "no answer of the assistant that is to be learned"
            fix = "add the answer, or remove the conversation"
            problem = Problem(Reason.UNANNOTATED, found, "a message of the assistant", fix)
            yield reject_row(self._describe("", None), STAGE, [problem])


def _report_silence(answer: _Answer) -> Fault:
    found = "a message of the assistant without text and without a call"
    return Fault(answer.pointer, Problem(Reason.MALFORMED_RECORD, found, "one of the two"))


def _make_key(pointer: str) -> list[tuple[int, int, str]]:
    """Make a key that sorts pointers as their values are in the document."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in pointer.split("/")[1:]]


def _hash_questions(conversation: Conversation) -> str:
    """Hash what the user says: equal conversations are in one group, wherever they are."""
    questions = [turn.content for turn in conversation.turns if turn.role == Role.USER]
    return hashlib.sha256("\n".join(questions).casefold().encode("utf-8", "replace")).hexdigest()[:16]


def _list_answers(conversation: Conversation, place: RowPlace) -> Iterator[_Answer]:
    said: list[ChatTurn] = [turn for turn in conversation.turns if turn.role != Role.SYSTEM]
    before: list[Turn] = []
    start = 0
    while start < len(said):
        end = start + 1
        if said[start].role == Role.ASSISTANT:
            while end < len(said) and said[end].role == Role.ASSISTANT:
                end += 1
            earlier = before[:-1][-place.context_turns :] if place.context_turns else []
            previous = said[start - 1] if start else None
            yield _Answer(tuple(said[start:end]), previous, tuple(earlier))
        text = "\n".join(filter(None, (turn.content for turn in said[start:end])))
        calls = [MadeCall(call.name, call.arguments) for turn in said[start:end] for call in turn.calls]
        before.append(Turn(Speaker(said[start].role.value), format_context_turn(text, calls)))
        start = end


def _label_arguments(call: ToolCall, skill: Skill | None) -> tuple[LabelledArgument, ...] | Problem:
    """Write the arguments of a call as text, by path; or say why that would lose something."""
    if skill is None:
        return ()
    arguments = dict(call.arguments)
    try:
        leaves = list_leaves(arguments, skill)
    except ValueError as error:
        return Problem(Reason.MALFORMED_RECORD, str(error), fix="flatten the arguments")
    labels = []
    for path, leaf, parameter in leaves:
        excess = find_excess(leaf)
        if excess is not None:
            found, expected = excess
            return Problem(Reason.INVALID_VALUE, f"{found} for {path!r}", expected, "correct it", path)
        accepted = _encode_accepted(call.accepted.get(path, ()), parameter)
        labels.append(LabelledArgument(path, encode_leaf(leaf, parameter), accepted=accepted))
    if not _is_same(build_arguments([(label.slot, label.value) for label in labels], skill), arguments):
        found = f"arguments of {call.name} that would not come back as they are"
        return Problem(Reason.INVALID_VALUE, found, "values that its parameters accept", "correct them")
    return tuple(labels)


def _encode_accepted(values: Sequence[Any], parameter: Parameter | None) -> tuple[str, ...]:
    texts = [(value, encode_leaf(value, parameter)) for value in values if find_excess(value) is None]
    return tuple(text for value, text in texts if decode_leaf(text, parameter) == value)


def _is_same(first: Any, second: Any) -> bool:
    """Return whether two JSON values are the same, types and the order of keys included."""
    return msgspec.json.encode(first) == msgspec.json.encode(second, enc_hook=str)
