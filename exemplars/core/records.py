"""The typed rows that flow between the stages: one struct per row.

All offsets count Unicode code points, and the end is exclusive: `utterance[start:end]` is the surface.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

DONTCARE: Final = "dontcare"
"""The value of an argument whose speaker has no preference, as SGD spells it."""

REDACTED: Final = "[erased]"
"""Replaces an erased utterance in a raw file."""


ROW_VERSION: Final = 2
"""The version of the columns of records and exemplars. Version 1 had neither turns nor paths, and one call a turn."""


class Speaker(StrEnum):
    """Who says a turn."""

    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"
    """The result of a call."""


class Mode(StrEnum):
    """How an utterance relates to its skill."""

    NORMAL = "normal"
    """The utterance says what is wanted."""
    EXTENDED = "extended"
    """The utterance means it only in its context: "yes, that one"."""
    NEGATIVE = "negative"
    """The utterance declines it."""
    NONE = "none"
    """The utterance asks for no call."""


class Grounding(StrEnum):
    """How an argument's value is tied to the conversation."""

    VERBATIM = "verbatim"
    """The utterance contains the value, letter for letter."""
    CASE = "case"
    """The utterance contains the value if case is ignored."""
    NORMALIZED = "normalized"
    """The utterance writes the value differently: two for 2, half past 7 for 19:30."""
    CATEGORICAL = "categorical"
    """The value is one of the parameter's listed values, and is meant rather than said."""
    BOOLEAN = "boolean"
    """The value is True or False, and is meant rather than said."""
    RECOGNIZED = "recognized"
    """The utterance contains an expression that the parameter's recognizer knows for the value."""
    CONTEXT = "context"
    """The value was said in an earlier turn."""
    DONTCARE = "dontcare"
    """The speaker has no preference."""
    DEFAULT = "default"
    """The value is the default that the catalog declares, and is not said."""
    COMPOSED = "composed"
    """The value is written by the model from what was said: an expression, a query, the text of a message."""


ALIGNED: Final = frozenset({Grounding.VERBATIM, Grounding.CASE, Grounding.NORMALIZED, Grounding.RECOGNIZED})
"""The kinds of grounding of a value that a span of the utterance says."""


class Turn(msgspec.Struct, frozen=True, gc=False):
    """One turn of a dialogue."""

    speaker: Speaker
    utterance: str


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where a row came from."""

    path: str
    """The file, relative to the root of its source, with `/` as the separator."""
    sha256: str
    """The SHA-256 of the file: 64 hexadecimal digits."""
    locator: str
    """Where the row is in the file: a line number, from 1; a JSON Pointer; or `18/messages/4`, a pointer in a line."""


class LabelledArgument(msgspec.Struct, frozen=True, gc=False):
    """An argument as its author labeled it, not yet aligned with the utterance."""

    slot: str
    """The path of the leaf that it fills: see `exemplars.core.slot_paths`."""
    value: str
    """The canonical value, as `exemplars.dataset.leaves` writes it."""
    spoken: tuple[str, ...] = ()
    """How the value was, or may be, said according to the source; the best first."""
    start: int | None = None
    """The span that the source gives, not yet checked; `None` if it gives none."""
    end: int | None = None
    context: bool = False
    """Whether the source says that the value comes from an earlier turn, not from this utterance."""
    accepted: tuple[str, ...] = ()
    """The other values that the source accepts as right; an empty text: the argument may be left out."""
    grounding: Grounding | None = None
    """How the value is tied to the conversation according to the source; `None`: it does not say."""


class Record(msgspec.Struct, frozen=True):
    """One call, or its absence, in context, as its author labeled it: what `ingest` writes and `compile` reads."""

    id: str
    turn: str
    """The id of the turn; several rows with one turn are the several calls that it asks for."""
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
    """The template, if the source gives it; then it determines where the values are."""
    split: str | None = None
    """The split that the source prescribes (`train`, `validation`, `test`), if any."""
    today: str | None = None
    """The day that relative dates in the utterance refer to (ISO 8601)."""
    call: int = 0
    """The position of this call among the calls of its turn."""
    speaker: Speaker = Speaker.USER
    """Who says the utterance: the tool, if the call follows a result."""
    reply: str | None = None
    """What the assistant says in addition to, or instead of, a call."""
    is_template: bool = False
    """Whether the utterance is a template whose slots have no values: it can be retrieved, but is no exemplar."""


class Template(msgspec.Struct, frozen=True):
    """A template whose slots have no values, so that it cannot be an utterance: a row that only retrieval uses."""

    id: str
    source: str
    skill: str
    template: str
    """What is said, with `<path>` in the place of each value."""
    mode: Mode
    """The owner mode: `normal`, or `extended` for the answer to a question."""
    context: tuple[Turn, ...]
    group: str
    license: str
    origin: Origin


class Argument(msgspec.Struct, frozen=True, gc=False):
    """An argument aligned with the utterance, or grounded without a span."""

    slot: str
    value: str
    surface: str | None
    start: int | None
    end: int | None
    grounding: Grounding
    accepted: tuple[str, ...] = ()
    """The other values that the source accepts as right; an empty text: the argument may be left out."""


class Exemplar(msgspec.Struct, frozen=True):
    """The FullExemplar: one call, or its absence, in context. Rows of the same turn are its several calls."""

    id: str
    digest: str
    """SHA-256 of the row's content, not of its origin: see `exemplars.core.digests`."""
    source: str
    turn: str
    """The id of the turn; several rows with one turn are the several calls that it asks for."""
    call: int
    """The position of this call among the calls of its turn, from 0."""
    service: str | None
    skill: str | None
    mode: Mode
    speaker: Speaker
    """Who says the utterance: the tool, if the call follows a result."""
    utterance: str
    exemplar: str
    """The template: the utterance with each aligned value replaced by `<path>`."""
    arguments: tuple[Argument, ...]
    """One for each leaf of the call's arguments; its `slot` is the path of the leaf."""
    reply: str | None
    """What the assistant says in addition to, or instead of, a call."""
    context: tuple[Turn, ...]
    group: str
    license: str
    origin: Origin
    split: str | None = None
    """The split that the source prescribes; `None` if it prescribes none."""


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
    """The parameter does not accept the value: wrong type, not in its enumeration, against its JSON Schema, or a time
    or date that does not exist."""
    MISSING_ARGUMENT = "missing_argument"
    """A required parameter has no argument, and the format demands one."""
    NO_ANSWER = "no_answer"
    """The model that was asked for examples refused, or its answer was cut off before the example was complete."""
    DUPLICATE_RECORD = "duplicate_record"
    """Two records of one source have the same identity (dialogue, turn or line)."""
    ASKS_ABOUT_RESULT = "asks_about_result"
    """Out of scope: the user asks for a property of a result; no argument is given."""
    ASKS_ALTERNATIVES = "asks_alternatives"
    """Out of scope: the user asks for other results; no argument is given."""
    NO_NEW_MEANING = "no_new_meaning"
    """Out of scope: the turn repeats or confirms what is already known."""
    MEANING_IN_OTHER_FRAME = "meaning_in_other_frame"
    """Out of scope: what the turn asks for is in its other frame."""
    UNANNOTATED = "unannotated"
    """The source does not say what the turn means, which is not to say that it means nothing."""
    SPAN_MISMATCH = "span_mismatch"
    """The span given by the source is out of range, reversed, or covers a different text."""
    EXEMPLAR_MISMATCH = "exemplar_mismatch"
    """The template given by the source differs from the one that utterance and arguments give."""
    VALUE_NOT_FOUND = "value_not_found"
    """The value occurs neither in the utterance nor in its context, in any form that is known."""
    VALUE_AMBIGUOUS = "value_ambiguous"
    """The value occurs more than once, and neither a span nor a template says which one is meant."""
    DUPLICATE_SLOT = "duplicate_slot"
    """One path is filled twice."""
    OVERLAPPING_SPANS = "overlapping_spans"
    """Two arguments claim the same text."""
    INCOMPLETE_TURN = "incomplete_turn"
    """Another call of the same turn is rejected; without it, the turn would teach too little."""
    DUPLICATE_EXEMPLAR = "duplicate_exemplar"
    """The same utterance and meaning as another exemplar, which is kept."""
    CONFLICTING_LABEL = "conflicting_label"
    """Another exemplar has the same utterance and context, and a different meaning."""
    NEAR_DUPLICATE = "near_duplicate"
    """The utterance or template is almost that of another exemplar, which is kept."""
    LOW_QUALITY = "low_quality"
    """The text has a flag that `curate.quality.reject` names."""
    PERSONAL_DATA = "personal_data"
    """The text contains personal data that no argument labels, and `curate.privacy.mode` is `reject`."""
    REJECTED_BY_REVIEWER = "rejected_by_reviewer"
    """A person decided against the row: a decision in `data/raw/reviews.jsonl`."""
    PENDING_REVIEW = "pending_review"
    """The row's source has `review: required`, and nobody has approved the row yet."""
    LEAKED = "leaked"
    """The row's utterance or template, or one much like it, is also in validation or test."""
    TOO_LONG = "too_long"
    """The record is too large to be parsed, or the rendered row has more tokens than `render.max_tokens` or than
    the model's context."""
    NOT_SUPERVISED = "not_supervised"
    """The supervised tokens of the rendered row do not decode to its answer and the end of the turn."""
    CONTROL_TOKEN = "control_token"
    """A text of the row spells a token that begins or ends a turn: `<|im_end|>`."""
    TOOL_NOT_IN_PROMPT = "tool_not_in_prompt"
    """The prompt does not list the skill that the answer calls."""
    VALUE_NOT_IN_PROMPT = "value_not_in_prompt"
    """A value comes from a turn that the prompt no longer includes."""
    ERASED = "erased"
    """A tombstone in `data/raw/erasures.jsonl` removes the row; none of its text is kept."""
    NOT_DRAWN = "not_drawn"
    """Not sampled: `render.max_rows` admits fewer exemplars of the split."""
    OVER_SHARE = "over_share"
    """Over quota: rows without a call exceed `render.max_none_share`."""
    UNKNOWN_ROW = "unknown_row"
    """The preference is about a row that the dataset does not have, or that changed since."""
    HELD_OUT = "held_out"
    """The preference is about a row of test, which is for comparing systems, not for training."""
    EQUAL_SIDES = "equal_sides"
    """Both sides of the preference are the same."""
    NO_PREFERENCE = "no_preference"
    """The judge called the two sides equally good, or both wrong: there is nothing to prefer."""
    CONFLICTING_PREFERENCE = "conflicting_preference"
    """Another preference has the same sides the other way round, or the preference rejects the right answer of its
    row."""
    WITHDRAWN = "withdrawn"
    """A later line of the same file takes the preference back."""


class Rejection(msgspec.Struct, frozen=True):
    """One row of the ledger: a record that a stage did not keep, why, and how to fix it."""

    id: str
    source: str
    stage: str
    reason: Reason
    message: str
    """One sentence: the place, what was found, what was expected, how to fix it."""
    origin: Origin
    group: str
    skill: str | None = None
    slot: str | None = None
    utterance: str | None = None


class TextPair(msgspec.Struct, frozen=True, order=True):
    """Two texts, as `make_similarity_text` reduces them, that are almost the same."""

    column: str
    """`utterance` or `exemplar`."""
    first: str
    second: str
    similarity: float


class ReviewItem(msgspec.Struct, frozen=True):
    """A row that a person should review, why, and what is suggested."""

    id: str
    why: str
    """`disagreement`, `stale`, `conflict`, `quality`, `personal_data` or `label_noise`."""
    detail: str
    score: float | None
    skill: str | None
    suggested: str | None
    path: str
    locator: str
    utterance: str
