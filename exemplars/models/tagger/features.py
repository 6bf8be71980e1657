"""Rows as an encoder takes them: the tokens of an utterance and of the turns before it, and what each is to become."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from exemplars.core.ledger import Problem
from exemplars.core.records import Argument, Exemplar, Grounding, LabelledArgument, Reason, Speaker, Turn
from exemplars.dataset.catalog import Skill
from exemplars.dataset.expressions.values import find_value
from exemplars.dataset.expressions.verbatim import Span, find_exact, find_ignoring_case
from exemplars.dataset.parameters import Parameter
from exemplars.models.tagger.marks import UNMARKED, Mark, TurnMarks, mark_turns
from exemplars.models.tagger.vocabulary import NO_SKILL, OUTSIDE, Choice, Slot, Vocabulary, make_choice

SPECIAL: Final = -1
"""The turn of a token that is in no text."""
UTTERANCE: Final = 0
"""The turn of a token of the utterance; 1 is the turn before it, 2 the one before that."""


class EncodedText(NamedTuple):
    """The tokens of an utterance, then those of the turns before it, the latest first. All lists are of one length."""

    input_ids: list[int]
    segments: list[int]
    """0: the utterance; 1: the turns before it."""
    turns: list[int]
    """`SPECIAL`, `UTTERANCE`, or how many turns before the utterance."""
    offsets: list[Span]
    """The span of a token in the text of its turn: code points, end exclusive."""
    begins_word: list[bool]
    texts: list[str]
    """The texts by turn: the utterance first."""
    marks: Sequence[Mark] = ()
    """Of each token; empty: none has any."""


class Target(NamedTuple):
    """What a tagger is to say about a row."""

    skill: int
    """The number of the skill in the vocabulary."""
    tags: list[int]
    """One for each token, local to the skill: `OUTSIDE`, or 1 + 2 * slot for its first word, and 1 more for others."""
    choices: list[int]
    """The place of the choice of each slot of the skill."""


def encode_text(
    tokenizer: Any,
    utterance: str,
    speaker: Speaker,
    context: Sequence[Turn],
    max_tokens: int,
    context_turns: int | None = None,
) -> EncodedText | Problem:
    """Encode an utterance with the turns before it; the oldest turns that do not fit are left out whole.

    max_tokens: including special tokens. context_turns: how many turns before are encoded, at most; `None`: all. Words
    of all turns count for the marks. Returns a problem if the utterance alone does not fit.
    """
    turns = [Turn(speaker, utterance), *reversed(context)]
    marks = mark_turns(turns)
    encoded = _Columns([], [], [], [], [], [], [])
    encoded.append_special([tokenizer.cls_token_id], 0)
    length = _append(encoded, tokenizer, turns[0], UTTERANCE, marks[0], max_tokens)
    if length > max_tokens:
        return Problem(
            Reason.TOO_LONG,
            found=f"an utterance of {length} tokens",
            expected=f"at most {max_tokens} tokens, the window of the encoder",
            fix="shorten it, raise max_tokens of the recipe, or choose an encoder with a longer window",
        )
    shown = turns if context_turns is None else turns[: context_turns + 1]
    for number, turn in enumerate(shown[1:], 1):
        if _append(encoded, tokenizer, turn, number, marks[number], max_tokens) > max_tokens:
            break
    return EncodedText(*encoded)


class _Columns(NamedTuple):
    """The lists of an encoded text, while it grows."""

    input_ids: list[int]
    segments: list[int]
    turns: list[int]
    offsets: list[Span]
    begins_word: list[bool]
    texts: list[str]
    marks: list[Mark]

    def append_special(self, ids: Sequence[int], segment: int) -> None:
        """Append tokens that are in no text."""
        self.input_ids.extend(ids)
        self.segments.extend([segment] * len(ids))
        self.turns.extend([SPECIAL] * len(ids))
        self.offsets.extend([(0, 0)] * len(ids))
        self.begins_word.extend([False] * len(ids))
        self.marks.extend([UNMARKED] * len(ids))


def _append(
    encoded: _Columns, tokenizer: Any, said: Turn, turn: int, marks: TurnMarks, max_tokens: int
) -> int:
    """Append the tokens of a turn, after its speaker unless the user says the utterance, and a separator.

    Returns the number of tokens with them; if it is more than `max_tokens`, nothing is appended.
    """
    segment = int(turn != UTTERANCE)
    is_named = turn != UTTERANCE or said.speaker is not Speaker.USER
    name = tokenizer(f"{said.speaker.value}:", add_special_tokens=False)["input_ids"] if is_named else []
    tokens = tokenizer(said.utterance, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    length = len(encoded.input_ids) + len(name) + len(tokens["input_ids"]) + 1
    if length > max_tokens:
        return length
    words = tokens.word_ids()
    spans = [tuple(span) for span in tokens["offset_mapping"]]
    encoded.append_special(name, segment)
    encoded.input_ids.extend(tokens["input_ids"])
    encoded.segments.extend([segment] * len(words))
    encoded.turns.extend([turn] * len(words))
    encoded.offsets.extend(spans)
    encoded.begins_word.extend(place == 0 or words[place - 1] != word for place, word in enumerate(words))
    encoded.marks.extend(marks.mark(span) for span in spans)
    encoded.append_special([tokenizer.sep_token_id], segment)
    encoded.texts.append(said.utterance)
    return length


def build_target(
    exemplar: Exemplar, encoded: EncodedText, vocabulary: Vocabulary, skill: Skill | None
) -> Target | Problem:
    """Build what a tagger is to say about a row. skill: that of the catalog, if the row has one.

    A value from an earlier turn is tagged in the latest turn that says it, if one does.
    Returns a problem if the vocabulary does not have the skill, or if only a turn that was left out says a value.
    """
    number = vocabulary.number_skill(exemplar.skill)
    if number is None:
        return Problem(
            Reason.UNKNOWN_SKILL, found=f"skill {exemplar.skill!r}", expected="one that train rows have"
        )
    slots = vocabulary.find_slots(number)
    target = Target(number, [OUTSIDE] * len(encoded.input_ids), [0] * len(slots))
    places = {slot.path: place for place, slot in enumerate(slots)}
    for argument in exemplar.arguments if number != NO_SKILL else ():
        place = places.get(argument.slot)
        if place is None:
            found = f"an argument {argument.slot!r}, which no train row has"
            return Problem(Reason.UNKNOWN_SLOT, found, "one that train rows have", slot=argument.slot)
        parameter = (skill.find_parameter(argument.slot) if skill else None) or Parameter(argument.slot)
        target.choices[place] = _find_choice(argument, slots[place])
        if argument.start is not None and argument.end is not None:
            _tag(target, encoded, UTTERANCE, (argument.start, argument.end), place)
        elif argument.grounding is Grounding.CONTEXT:
            problem = _tag_context(target, encoded, exemplar, argument, parameter, place)
            if problem is not None:
                return problem
    return target


def _find_choice(argument: Argument, slot: Slot) -> int:
    """Find the choice of an argument; one that is said has the choice of its value if it is a listed one."""
    choice = make_choice(argument)
    if argument.start is not None:
        choice = Choice(Grounding.CATEGORICAL, argument.value)
    return slot.choices.index(choice) if choice in slot.choices else 0


def _tag(target: Target, encoded: EncodedText, turn: int, span: Span, place: int) -> None:
    """Tag the words that a span touches, unless they have a tag."""
    touched = [
        index
        for index, (start, end) in enumerate(encoded.offsets)
        if encoded.turns[index] == turn and start < span[1] and span[0] < end
    ]
    if not touched:
        return
    first, last = touched[0], touched[-1]
    while not encoded.begins_word[first]:
        first -= 1
    while (
        last + 1 < len(encoded.turns)
        and encoded.turns[last + 1] == turn
        and not encoded.begins_word[last + 1]
    ):
        last += 1
    if all(tag == OUTSIDE for tag in target.tags[first : last + 1]):
        target.tags[first] = 1 + 2 * place
        target.tags[first + 1 : last + 1] = [2 + 2 * place] * (last - first)


def _tag_context(
    target: Target,
    encoded: EncodedText,
    exemplar: Exemplar,
    argument: Argument,
    parameter: Parameter,
    place: int,
) -> Problem | None:
    """Tag the latest mention of a value in the turns before; or report that only a turn that was left out says it."""
    shown = len(encoded.texts) - 1
    for number, turn in enumerate(reversed(exemplar.context), 1):
        span = next(find_mentions(turn.utterance, argument, parameter), None)
        if span is not None and number > shown:
            return Problem(
                Reason.VALUE_NOT_IN_PROMPT,
                found=f"the value of {argument.slot!r} {number} turns before",
                expected=f"one of the {shown} turns that fit into the window",
                fix="raise max_tokens or context_turns of the recipe",
                slot=argument.slot,
            )
        if span is not None:
            _tag(target, encoded, number, span, place)
            return None
    return None


def find_mentions(text: str, argument: Argument, parameter: Parameter | None) -> Iterator[Span]:
    """Find the mentions of a value in a turn, the most exact first: in "at 10:40 am", of 10:40 with "am".

    parameter: that it fills; `None`: a plain one.
    """
    label = LabelledArgument(argument.slot, argument.value)
    filled = parameter or Parameter(argument.slot)
    mentions = [(mention.start, mention.end) for mention in find_value(text, label, filled, None)]
    for start, end in (*find_exact(text, argument.value), *find_ignoring_case(text, argument.value)):
        wholes = (whole for whole in mentions if whole[0] <= start and end <= whole[1])
        yield next(wholes, (start, end))
    yield from mentions
