"""What to do about each reason of the ledger, and who can: for lists, pages and docs/ledger.md."""

from __future__ import annotations

import ast
import inspect
from enum import StrEnum
from typing import Any, Final, NamedTuple

from exemplars.core.records import Reason


class Where(StrEnum):
    """Where a rejected record can be changed so that it is kept."""

    SOURCE = "source"
    """In the record, or in the files next to it: the author knows better."""
    PARAMETERS = "parameters"
    """In `params.yaml`: the record is right, and a parameter leaves it out."""
    NOWHERE = "nowhere"
    """Nothing is wrong: it has no call of its own, another row says the same, a person decided against it, or it was
    erased."""


class Remedy(NamedTuple):
    """What to do about the records of one reason."""

    where: Where
    action: str


REMEDIES: Final[dict[Reason, Remedy]] = {
    Reason.VALUE_NOT_FOUND: Remedy(
        Where.SOURCE,
        "correct the value, say it in the text, add its words to a recognizer, or declare the parameter `composed` if "
        "the model writes it",
    ),
    Reason.UNKNOWN_SLOT: Remedy(Where.SOURCE, "correct the name, or add the parameter to the skill"),
    Reason.UNKNOWN_SKILL: Remedy(Where.SOURCE, "correct the name, or add the skill to the catalog"),
    Reason.UNKNOWN_SERVICE: Remedy(Where.SOURCE, "correct the name, or add the service to schema.json"),
    Reason.INVALID_VALUE: Remedy(
        Where.SOURCE, "correct the value, or the type or enumeration of the parameter"
    ),
    Reason.MISSING_ARGUMENT: Remedy(Where.SOURCE, "add the argument, or make the parameter optional"),
    Reason.SPAN_MISMATCH: Remedy(Where.SOURCE, "correct the span, or remove it so that it is searched"),
    Reason.EXEMPLAR_MISMATCH: Remedy(Where.SOURCE, "correct the template, or the values"),
    Reason.VALUE_AMBIGUOUS: Remedy(Where.SOURCE, "add a template or a span that says which mention counts"),
    Reason.OVERLAPPING_SPANS: Remedy(Where.SOURCE, "give spans or a template, or merge the slots"),
    Reason.INCOMPLETE_TURN: Remedy(
        Where.SOURCE, "correct the other calls of the turn, which the ledger lists"
    ),
    Reason.DUPLICATE_SLOT: Remedy(Where.SOURCE, "keep one of the values"),
    Reason.MALFORMED_RECORD: Remedy(Where.SOURCE, "write the record as its format asks (docs/formats)"),
    Reason.NO_ANSWER: Remedy(
        Where.SOURCE, "ask again with a larger --max-output-tokens, or ask another model"
    ),
    Reason.UNREADABLE_FILE: Remedy(Where.SOURCE, "repair the file, or move it away"),
    Reason.CONFLICTING_LABEL: Remedy(Where.SOURCE, "correct one of the labels"),
    Reason.DUPLICATE_RECORD: Remedy(Where.SOURCE, "remove one of the two, or give it an identity of its own"),
    Reason.CONTROL_TOKEN: Remedy(Where.SOURCE, "remove the token from the text"),
    Reason.EQUAL_SIDES: Remedy(Where.SOURCE, "write two sides that differ, or remove the line"),
    Reason.CONFLICTING_PREFERENCE: Remedy(Where.SOURCE, "withdraw one of the two, or correct the row"),
    Reason.UNKNOWN_ROW: Remedy(Where.SOURCE, "judge the row as it is now, or remove the line"),
    Reason.UNANNOTATED: Remedy(Where.SOURCE, "annotate the turn"),
    Reason.PENDING_REVIEW: Remedy(Where.SOURCE, "decide on the row: `exemplars review --queue generated`"),
    Reason.TOO_LONG: Remedy(Where.PARAMETERS, "shorten the text, or raise render.max_tokens"),
    Reason.LOW_QUALITY: Remedy(Where.PARAMETERS, "rewrite the text, or change curate.quality.reject"),
    Reason.PERSONAL_DATA: Remedy(
        Where.PARAMETERS, "label or replace the data, or change curate.privacy.mode"
    ),
    Reason.NOT_SUPERVISED: Remedy(Where.PARAMETERS, "choose a base whose chat template keeps the answer"),
    Reason.TOOL_NOT_IN_PROMPT: Remedy(Where.PARAMETERS, "change render.tools, or the base's chat template"),
    Reason.VALUE_NOT_IN_PROMPT: Remedy(Where.PARAMETERS, "raise render.context_turns"),
    Reason.NOT_DRAWN: Remedy(Where.PARAMETERS, "raise render.max_rows"),
    Reason.OVER_SHARE: Remedy(Where.PARAMETERS, "raise render.max_none_share, or add rows with a call"),
    Reason.LEAKED: Remedy(Where.NOWHERE, "nothing: a kept row of another split says the same"),
    Reason.NEAR_DUPLICATE: Remedy(Where.NOWHERE, "nothing: a kept row says almost the same"),
    Reason.DUPLICATE_EXEMPLAR: Remedy(Where.NOWHERE, "nothing: the kept row says the same"),
    Reason.ASKS_ABOUT_RESULT: Remedy(Where.NOWHERE, "nothing: there is no call in it"),
    Reason.ASKS_ALTERNATIVES: Remedy(Where.NOWHERE, "nothing: there is no call in it"),
    Reason.NO_NEW_MEANING: Remedy(Where.NOWHERE, "nothing: there is no call in it"),
    Reason.MEANING_IN_OTHER_FRAME: Remedy(Where.NOWHERE, "nothing: another frame of the turn has the call"),
    Reason.REJECTED_BY_REVIEWER: Remedy(Where.NOWHERE, "nothing: a reviewer decided against it"),
    Reason.HELD_OUT: Remedy(Where.NOWHERE, "nothing: it counts for the ratings of systems"),
    Reason.NO_PREFERENCE: Remedy(Where.NOWHERE, "nothing: it counts for the ratings of systems"),
    Reason.WITHDRAWN: Remedy(Where.NOWHERE, "nothing: it was taken back"),
    Reason.ERASED: Remedy(Where.NOWHERE, "nothing: it was erased on request"),
}
"""Of every reason, those first that an author can fix soonest."""


def explain_reasons() -> dict[str, str]:
    """Read what each reason means: the docstring below it in `Reason`."""
    [definition] = ast.parse(inspect.getsource(Reason)).body
    if not isinstance(definition, ast.ClassDef):
        return {}
    meanings = {}
    for member, docstring in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(member, ast.Assign) and isinstance(docstring, ast.Expr):
            value: Any = member.value
            text: Any = docstring.value
            meanings[str(value.value)] = str(text.value)
    return meanings


_RANKS: Final = {str(reason): rank for rank, reason in enumerate(REMEDIES)}


def rank_reason(reason: str) -> int:
    """Return the position of a reason in `REMEDIES`, from 0."""
    return _RANKS[reason]
