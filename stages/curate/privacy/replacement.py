"""Replace texts in rows, so that templates, values and spans stay exact."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import regex

from exemplars.core.digests import stamp_digest
from exemplars.core.records import Argument, Exemplar, Turn
from exemplars.dataset.templates import write_template

_LONGER_BEFORE: Final = regex.compile(r"\p{M}\Z|[\p{L}\p{M}]['’ʼ‐‑-]\Z")
_LONGER_AFTER: Final = regex.compile(r"\p{M}|['’ʼ‐‑-](?![sS](?!\p{L}))\p{L}")


class Replacement(NamedTuple):
    """A text that replaces `utterance[start:end]`; offsets are code points, the end is exclusive."""

    start: int
    end: int
    text: str


def replace_texts(text: str, surrogates: Mapping[str, str]) -> tuple[str, list[Replacement]]:
    """Replace every text that has a surrogate, as whole words, the longest first.

    A part of a word with hyphens or an apostrophe is no whole word: "Jean" is not replaced in "Jean-Luc". Returns the
    new text, and the replacements with their offsets in the old text.

    >>> replace_texts("call Ann or Anna", {"Ann": "Eve"})
    ('call Eve or Anna', [Replacement(start=5, end=8, text='Eve')])
    """
    replacements: list[Replacement] = []  # Sorted, and without overlaps.
    for old in sorted(surrogates, key=lambda name: (-len(name), name)):
        start = text.find(old)
        while start >= 0:
            end = start + len(old)
            index = bisect_left(replacements, (start,))
            is_free = (index == 0 or replacements[index - 1].end <= start) and (
                index == len(replacements) or end <= replacements[index].start
            )
            if is_free and is_whole_word(text, start, end):
                replacements.insert(index, Replacement(start, end, surrogates[old]))
            start = text.find(old, end)
    parts, position = [], 0
    for replacement in replacements:
        parts += [text[position : replacement.start], replacement.text]
        position = replacement.end
    return "".join([*parts, text[position:]]), replacements


def is_whole_word(text: str, start: int, end: int) -> bool:
    """Check whether `text[start:end]` is no part of a longer word. An ending "'s" is none.

    >>> is_whole_word("Jean-Luc", 0, 4), is_whole_word("Jean's", 0, 4)
    (False, True)
    """
    if text[start - 1 : start].isalnum() or text[end : end + 1].isalnum():
        return False
    if any(letter.isdigit() or letter == "@" for letter in text[start:end]):
        return True  # A number or an address, not a name: "tel-415-286-4371".
    return not (_LONGER_BEFORE.search(text[max(start - 3, 0) : start]) or _LONGER_AFTER.match(text, end))


def apply_surrogates(calls: Sequence[Exemplar], surrogates: Mapping[str, str]) -> list[Exemplar]:
    """Replace texts in the utterance, the template, the context, the values, the spans and the reply of a turn.

    All spans stay exact. A text that crosses the border of the span of any argument is not replaced in the
    utterance, because the label would be torn.

    calls: of one turn.
    """
    kept_whole = _keep_crossing(calls, surrogates)
    return [_replace_in_call(call, surrogates, kept_whole) for call in calls]


def _replace_in_call(
    exemplar: Exemplar, surrogates: Mapping[str, str], kept_whole: Mapping[str, str]
) -> Exemplar:
    utterance, replacements = replace_texts(exemplar.utterance, kept_whole)
    context = tuple(
        Turn(turn.speaker, replace_texts(turn.utterance, surrogates)[0]) for turn in exemplar.context
    )
    arguments = tuple(
        _move_argument(argument, utterance, replacements, surrogates) for argument in exemplar.arguments
    )
    reply = None if exemplar.reply is None else replace_texts(exemplar.reply, surrogates)[0]
    replaced = msgspec.structs.replace(
        exemplar,
        utterance=utterance,
        exemplar=write_template(utterance, arguments),
        context=context,
        arguments=arguments,
        reply=reply,
    )
    return stamp_digest(replaced)


def _keep_crossing(calls: Sequence[Exemplar], surrogates: Mapping[str, str]) -> dict[str, str]:
    """Return the surrogates, with each text that crosses the border of an argument's span as its own.

    It stays as a whole: a shorter text that has a surrogate is not replaced within it.
    """
    text, spans = calls[0].utterance, list_spans(calls)
    crossing = {
        text[replacement.start : replacement.end]
        for replacement in replace_texts(text, surrogates)[1]
        for start, end in spans
        if replacement.start < end and start < replacement.end
        and not (start <= replacement.start and replacement.end <= end)
    }  # fmt: skip
    return {old: old if old in crossing else new for old, new in surrogates.items()}


def list_spans(calls: Iterable[Exemplar]) -> list[tuple[int, int]]:
    """List the spans of the arguments of a turn's calls that have one; code points, end exclusive."""
    return [
        (argument.start, argument.end)
        for call in calls
        for argument in call.arguments
        if argument.start is not None and argument.end is not None
    ]


def _move_argument(
    argument: Argument, utterance: str, replacements: Sequence[Replacement], surrogates: Mapping[str, str]
) -> Argument:
    """Return the argument with its values replaced, and its span in the new utterance."""
    argument = msgspec.structs.replace(
        argument,
        value=replace_texts(argument.value, surrogates)[0],
        accepted=tuple(replace_texts(value, surrogates)[0] for value in argument.accepted),
    )
    if argument.start is None or argument.end is None:
        return argument
    start = _move_offset(argument.start, replacements)
    end = _move_offset(argument.end, replacements)
    return msgspec.structs.replace(argument, start=start, end=end, surface=utterance[start:end])


def _move_offset(offset: int, replacements: Sequence[Replacement]) -> int:
    return offset + sum(
        len(replacement.text) - (replacement.end - replacement.start)
        for replacement in replacements
        if replacement.end <= offset
    )
