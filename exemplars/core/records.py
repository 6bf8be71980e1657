"""The typed intermediate form: what flows between the stages, one struct a row.

All offsets are Unicode code points, the end is exclusive: `utterance[start:end]` is the text meant.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

DONTCARE: Final = "dontcare"
"""The value of an argument whose speaker has no preference (SGD's spelling)."""

REDACTED: Final = "[erased]"
"""What stands in a raw file where an utterance was erased."""


class Speaker(StrEnum):
    """Who says a turn."""

    USER = "user"
    SYSTEM = "system"


class Mode(StrEnum):
    """How an utterance means its skill."""

    NORMAL = "normal"
    """The utterance says it."""
    EXTENDED = "extended"
    """The utterance means it, given the context."""
    NEGATIVE = "negative"
    """The utterance declines it."""
    NONE = "none"
    """The utterance asks for nothing."""


class Grounding(StrEnum):
    """How an argument's value is tied to the text."""

    VERBATIM = "verbatim"
    """The text holds the value, letter for letter."""
    CASE = "case"
    """The text holds the value when case is ignored."""
    NORMALIZED = "normalized"
    """The text holds another way to write the value: two for 2, half past 7 for 19:30."""
    CATEGORICAL = "categorical"
    """The value is one of the parameter's listed values, and stands nowhere in the text."""
    BOOLEAN = "boolean"
    """The value is True or False, and stands nowhere in the text."""
    RECOGNIZED = "recognized"
    """The parameter's declared recognizer ties the text to the value."""
    CONTEXT = "context"
    """The value was said in an earlier turn, and is accepted here."""
    DONTCARE = "dontcare"
    """The speaker has no preference."""


class Turn(msgspec.Struct, frozen=True, gc=False):
    """One turn of a dialogue."""

    speaker: Speaker
    utterance: str


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where a row came from."""

    path: str
    """The file, relative to the root of its source, with `/` between folders."""
    sha256: str
    """The file's content hash, 64 hexadecimal digits."""
    locator: str
    """The line number (1 is the first), or the JSON Pointer, of the row in its file."""


class LabelledArgument(msgspec.Struct, frozen=True, gc=False):
    """An argument as its author labelled it, not yet tied to the text."""

    slot: str
    value: str
    """The canonical value."""
    spoken: tuple[str, ...] = ()
    """The ways in which the source says that the value was, or may be, said; the best first."""
    start: int | None = None
    """The span that the source gives; null where it gives none. Not yet checked."""
    end: int | None = None
    context: bool = False
    """The source says that the value comes from an earlier turn, not from this utterance."""


class Record(msgspec.Struct, frozen=True):
    """One user request in context as its author wrote it: what `ingest` makes and `compile` reads."""

    id: str
    source: str
    utterance: str
    mode: Mode
    skill: str | None
    service: str | None
    arguments: tuple[LabelledArgument, ...]
    context: tuple[Turn, ...]
    group: str
    license: str
    origin: Origin
    exemplar: str | None = None
    """The template, where the source gives it; it settles where the values stand."""
    split: str | None = None
    """The split that the source prescribes (`train`, `validation`, `test`)."""
    today: str | None = None
    """The date that relative dates in the utterance refer to (ISO 8601)."""


class Argument(msgspec.Struct, frozen=True, gc=False):
    """An argument tied to the text."""

    slot: str
    value: str
    surface: str | None
    start: int | None
    end: int | None
    grounding: Grounding


class Exemplar(msgspec.Struct, frozen=True):
    """The FullExemplar: one user request in context, with its meaning."""

    id: str
    digest: str
    """SHA-256 of the row's content, not of its origin: see `exemplars.core.digests`."""
    source: str
    service: str | None
    skill: str | None
    mode: Mode
    utterance: str
    exemplar: str
    """The utterance with each located value replaced by `<slot>`."""
    arguments: tuple[Argument, ...]
    context: tuple[Turn, ...]
    group: str
    license: str
    origin: Origin
    split: str | None = None
    """The split that the source prescribes; null where it prescribes none."""


class Reason(StrEnum):
    """Why a record is in the ledger and not among the exemplars."""

    UNREADABLE_FILE = "unreadable_file"
    """The file cannot be decoded at all."""
    MALFORMED_RECORD = "malformed_record"
    """The record does not have the form that its source's format prescribes."""
    UNKNOWN_SERVICE = "unknown_service"
    """The service is not in the schema."""
    UNKNOWN_SKILL = "unknown_skill"
    """The skill is not in the catalog."""
    UNKNOWN_SLOT = "unknown_slot"
    """The skill has no such parameter."""
    INVALID_VALUE = "invalid_value"
    """The parameter does not admit the value: wrong type, or not in its enumeration."""
    MISSING_ARGUMENT = "missing_argument"
    """A required parameter has no argument where the format demands it."""
    DUPLICATE_RECORD = "duplicate_record"
    """The same dialogue, turn or line identity occurs twice in one source."""
    ASKS_ABOUT_RESULT = "asks_about_result"
    """Out of scope: the user asks for a property of a result; no argument is given."""
    ASKS_ALTERNATIVES = "asks_alternatives"
    """Out of scope: the user asks for other results; no argument is given."""
    NO_NEW_MEANING = "no_new_meaning"
    """Out of scope: the turn repeats or confirms what is already known."""
    MEANING_IN_OTHER_FRAME = "meaning_in_other_frame"
    """Out of scope: what the turn asks for stands in its other frame."""
    SPAN_MISMATCH = "span_mismatch"
    """The span given by the source is out of range, reversed, or on another text."""
    EXEMPLAR_MISMATCH = "exemplar_mismatch"
    """The given template does not lead back to the utterance and its arguments."""
    VALUE_NOT_FOUND = "value_not_found"
    """The value stands neither in the utterance, nor in its context, in any way known."""
    VALUE_AMBIGUOUS = "value_ambiguous"
    """The value occurs more than once, and neither a span nor a template says which is meant."""
    DUPLICATE_SLOT = "duplicate_slot"
    """One slot is filled twice."""
    OVERLAPPING_SPANS = "overlapping_spans"
    """Two arguments claim the same text."""
    DUPLICATE_EXEMPLAR = "duplicate_exemplar"
    """The same utterance and meaning as another exemplar, which is kept."""
    CONFLICTING_LABEL = "conflicting_label"
    """The same utterance in the same context has another meaning elsewhere."""
    NEAR_DUPLICATE = "near_duplicate"
    """The utterance or template is nearly that of another exemplar, which is kept."""
    LOW_QUALITY = "low_quality"
    """The text has a flag that `curate.quality.reject` names."""
    PERSONAL_DATA = "personal_data"
    """The text holds personal data that no argument labels, and `curate.privacy.mode` is reject."""
    LEAKED = "leaked"
    """The row's utterance or template also stands, or nearly so, in validation or test."""
    TOO_LONG = "too_long"
    """The rendered row has more tokens than `render.max_tokens`, or than the model can take."""
    NOT_SUPERVISED = "not_supervised"
    """The supervised tokens of the rendered row do not decode to its answer and the end of the turn."""
    TOOL_NOT_IN_PROMPT = "tool_not_in_prompt"
    """The prompt does not show the skill that the answer calls."""
    VALUE_NOT_IN_PROMPT = "value_not_in_prompt"
    """A value comes from an earlier turn than the prompt shows."""
    ERASED = "erased"
    """A tombstone in `data/raw/erasures.jsonl` takes the row out; nothing that was said is kept."""
    NOT_DRAWN = "not_drawn"
    """`render.max_rows` admits fewer exemplars of the split."""
    OVER_SHARE = "over_share"
    """Rows that ask for nothing are more than `render.max_none_share`."""


OUT_OF_SCOPE: Final = frozenset(
    {
        Reason.ASKS_ABOUT_RESULT,
        Reason.ASKS_ALTERNATIVES,
        Reason.NO_NEW_MEANING,
        Reason.MEANING_IN_OTHER_FRAME,
    }
)
"""Reasons that are no fault of the author: the record carries no new function-call meaning."""


class Rejection(msgspec.Struct, frozen=True):
    """One row of the ledger: a record that is not an exemplar, and what to do about it."""

    id: str
    source: str
    stage: str
    reason: Reason
    message: str
    """One sentence: what was found, what was expected, what to change."""
    origin: Origin
    group: str
    skill: str | None = None
    slot: str | None = None
    utterance: str | None = None


class TextPair(msgspec.Struct, frozen=True, order=True):
    """Two normalized texts that are nearly the same."""

    column: str
    """`utterance` or `exemplar`."""
    first: str
    second: str
    similarity: float


class ReviewItem(msgspec.Struct, frozen=True):
    """A row that a person should look at, why, and what is suggested."""

    id: str
    why: str
    """`conflict`, `quality`, `personal_data` or `label_noise`."""
    detail: str
    score: float | None
    skill: str | None
    suggested: str | None
    path: str
    locator: str
    utterance: str
