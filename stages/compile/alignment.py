"""Alignment: the arguments of a record with their spans in its utterance, all of them together."""

from __future__ import annotations

import datetime
from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from exemplars.core.errors import quote_text
from exemplars.core.ledger import Problem
from exemplars.core.records import ALIGNED, DONTCARE, Argument, Grounding, LabelledArgument, Reason, Turn
from exemplars.dataset.expressions.verbatim import find_exact
from exemplars.dataset.leaves import decode_leaf
from exemplars.dataset.parameters import Parameter
from stages.compile.grounding import Match, confirm_span, find_matches
from stages.compile.lexicon import Lexicon


class Evidence(NamedTuple):
    """Where the values of a record may be said, and what is needed to recognize them."""

    utterance: str
    context: tuple[Turn, ...]
    today: datetime.date | None
    lexicon: Lexicon
    has_template: bool = False
    """The source gives the template, so a value without a slot in it is not in the utterance."""
    composes: bool = False
    """The model writes the values that no single mention in the conversation explains (`ungrounded: compose`)."""


class _ClaimedSpans:
    """The spans of aligned arguments, sorted; they never overlap."""

    def __init__(self) -> None:
        self._spans: list[tuple[int, int]] = []

    def is_free(self, match: Match) -> bool:
        index = bisect_left(self._spans, (match.end, -1))
        return index == 0 or self._spans[index - 1][1] <= match.start

    def claim(self, match: Match) -> None:
        insort(self._spans, (match.start, match.end))


class _Alignment:
    """The state of an alignment: what is aligned, what is still open, and what is wrong."""

    def __init__(
        self, labels: Sequence[LabelledArgument], parameters: Sequence[Parameter], evidence: Evidence
    ) -> None:
        self.labels = labels
        self.parameters = parameters
        self.evidence = evidence
        self.claimed = _ClaimedSpans()
        self.arguments: dict[int, Argument] = {}
        """By the index of the label."""
        self.candidates: dict[int, tuple[Match, ...]] = {}
        """The matches of labels that are not aligned yet, by the index of the label."""
        self.problems: list[Problem] = []

    def claim(self, index: int, match: Match) -> None:
        """Align a label with a match, unless another argument has claimed a part of it."""
        label, utterance = self.labels[index], self.evidence.utterance
        if self.claimed.is_free(match):
            self.claimed.claim(match)
            surface = utterance[match.start : match.end]
            self.arguments[index] = Argument(
                label.slot, label.value, surface, match.start, match.end, match.grounding, label.accepted
            )
        elif self.evidence.composes and label.start is None:
            self.ground(index, Grounding.COMPOSED)  # As if its mention were not known.
        else:
            self.report_overlap(index, match)

    def ground(self, index: int, grounding: Grounding) -> None:
        """Accept a label without a span."""
        label = self.labels[index]
        self.arguments[index] = Argument(label.slot, label.value, None, None, None, grounding, label.accepted)

    def claim_given_spans(self) -> None:
        """Align the labels for which the source gives a span."""
        for index, (label, parameter) in enumerate(zip(self.labels, self.parameters, strict=True)):
            if label.start is not None or label.end is not None:
                match = _check_given_span(label, parameter, self.evidence)
                if isinstance(match, Problem):
                    self.problems.append(match)
                else:
                    self.claim(index, match)

    def find_candidates(self) -> None:
        """Search the matches of all other labels; accept those that need no span."""
        for index, (label, parameter) in enumerate(zip(self.labels, self.parameters, strict=True)):
            if label.start is None and label.end is None:
                given = _confirm_given_grounding(label, parameter, self.evidence)
                result = given or _search_value(label, parameter, self.evidence)
                if isinstance(result, Problem):
                    self.problems.append(result)
                elif isinstance(result, Grounding):
                    self.ground(index, result)
                else:
                    self.candidates[index] = result

    def claim_unique_matches(self) -> None:
        """Align every label with its only free match, until no label has exactly one."""
        progress = True
        while self.candidates and progress:
            free = {
                index: tuple(filter(self.claimed.is_free, matches))
                for index, matches in self.candidates.items()
            }
            unique = {index: matches[0] for index, matches in free.items() if len(matches) == 1}
            progress = bool(unique)
            for index, match in unique.items():
                del self.candidates[index]
                self.claim(index, match)

    def report_open_labels(self) -> None:
        """Report the labels that have several free matches, or none."""
        for index, matches in self.candidates.items():
            free = [match for match in matches if self.claimed.is_free(match)]
            if self.evidence.composes:
                # Which mention is meant cannot be known, and the model writes the value all the same.
                self.ground(index, Grounding.COMPOSED)
            elif free:
                self.problems.append(_report_ambiguity(self.labels[index], free))
            elif self.parameters[index].enum:
                # All mentions of the value belong to other arguments: this one is meant, not said.
                self.ground(index, Grounding.CATEGORICAL)
            else:
                self.report_overlap(index, matches[0])

    def report_overlap(self, index: int, match: Match) -> None:
        """Report a label whose match another argument claims, with the span of that argument."""
        claim = next(argument for argument in self.arguments.values() if _overlaps(argument, match))
        self.problems.append(_report_overlap(self.labels[index], match, claim, self.evidence.utterance))


def align_arguments(
    labels: Sequence[LabelledArgument], parameters: Sequence[Parameter], evidence: Evidence
) -> tuple[tuple[Argument, ...], tuple[Problem, ...]]:
    """Align the labeled arguments of a record with its utterance.

    labels, parameters: of equal length; each label with the parameter that it fills.
    Returns the arguments in the order of their labels, and everything that is wrong with them.

    Spans that the source gives are claimed first. Then every value with a single free match claims it, which
    may leave a single free match to another value. Values that still have several are ambiguous: picking the
    first match would teach a model wrong spans.
    """
    alignment = _Alignment(labels, parameters, evidence)
    alignment.claim_given_spans()
    alignment.find_candidates()
    alignment.claim_unique_matches()
    alignment.report_open_labels()
    arguments = alignment.arguments
    return tuple(arguments[index] for index in sorted(arguments)), tuple(alignment.problems)


def _confirm_given_grounding(
    label: LabelledArgument, parameter: Parameter, evidence: Evidence
) -> Grounding | None:
    """Return the grounding that the source gives if it demands no span and is true; otherwise, it is searched."""
    match label.grounding:
        case Grounding.COMPOSED:
            confirmed = True
        case Grounding.CONTEXT:
            confirmed = _is_in_context(label, parameter, evidence)
        case Grounding.CATEGORICAL:
            confirmed = bool(parameter.enum)
        case Grounding.BOOLEAN:
            confirmed = isinstance(decode_leaf(label.value, parameter), bool)
        case Grounding.DEFAULT:
            confirmed = label.value == parameter.default
        case _:
            confirmed = False
    return label.grounding if confirmed else None


def _search_value(
    label: LabelledArgument, parameter: Parameter, evidence: Evidence
) -> tuple[Match, ...] | Grounding | Problem:
    """Return the candidate spans of a value, its grounding if it needs none, or the problem."""
    if label.value == DONTCARE:
        return Grounding.DONTCARE
    leaf = decode_leaf(label.value, parameter)
    if leaf is None or isinstance(leaf, list | dict):
        # There is no text for `None`, nor for an empty list or object.
        is_default = "default" in (parameter.schema or {}) and (parameter.schema or {})["default"] == leaf
        return Grounding.DEFAULT if is_default else Grounding.CATEGORICAL
    if isinstance(leaf, str) and leaf != label.value:
        label = msgspec.structs.replace(label, value=leaf)
    if parameter.composed:
        return Grounding.COMPOSED
    if label.context and _is_in_context(label, parameter, evidence):
        return Grounding.CONTEXT
    if parameter.type == "boolean":
        return Grounding.BOOLEAN
    if not evidence.has_template:
        matches = find_matches(label, evidence.utterance, parameter, evidence.lexicon, evidence.today)
        if matches:
            return matches
    if parameter.enum:
        return Grounding.CATEGORICAL
    if not label.context and _is_in_context(label, parameter, evidence):
        return Grounding.CONTEXT
    if label.value == parameter.default:
        return Grounding.DEFAULT
    return Grounding.COMPOSED if evidence.composes else _report_not_found(label)


def _is_in_context(label: LabelledArgument, parameter: Parameter, evidence: Evidence) -> bool:
    """Return whether an earlier turn says the value."""
    for wording in (*label.spoken, label.value):  # Verbatim in all turns first, which is cheap.
        for turn in reversed(evidence.context):
            if wording in turn.utterance and find_exact(turn.utterance, wording):
                return True
    return any(
        find_matches(label, turn.utterance, parameter, evidence.lexicon, evidence.today)
        for turn in reversed(evidence.context)
    )


def _check_given_span(label: LabelledArgument, parameter: Parameter, evidence: Evidence) -> Match | Problem:
    """Check the span that the source gives: whether the cascade finds the value there."""
    start, end, utterance = label.start, label.end, evidence.utterance
    if start is None or end is None or not 0 <= start < end <= len(utterance):
        return Problem(
            Reason.SPAN_MISMATCH,
            found=f"span {start}:{end} in an utterance of {len(utterance)} code points for slot {label.slot!r}",
            expected="0 <= start < end <= length",
            fix="correct the span, or remove it",
            slot=label.slot,
        )
    if parameter.composed:
        return Problem(
            Reason.SPAN_MISMATCH,
            found=f"span {start}:{end} for slot {label.slot!r}, whose value the model composes",
            expected="no span",
            fix="remove the span or the slot of the template, or declare the parameter without `composed`",
            slot=label.slot,
        )
    grounding = confirm_span(label, utterance, (start, end), parameter, evidence.lexicon, evidence.today)
    if grounding is None:
        return _report_mismatch(label, utterance[start:end])
    return Match(start, end, label.grounding if label.grounding in ALIGNED else grounding)


def _report_mismatch(label: LabelledArgument, surface: str) -> Problem:
    return Problem(
        Reason.SPAN_MISMATCH,
        found=f"span {label.start}:{label.end} on the text {quote_text(surface)} for slot {label.slot!r}",
        expected=quote_text((*label.spoken, label.value)[0]),
        fix="correct the span; or, if the text means the value, say so: with a `surface` for the value, with an "
        "`exemplar`, or with an expression of the parameter's recognizer",
        slot=label.slot,
    )


def _overlaps(argument: Argument, match: Match) -> bool:
    if argument.start is None or argument.end is None:
        return False
    return argument.start < match.end and match.start < argument.end


def _report_overlap(label: LabelledArgument, match: Match, claim: Argument, utterance: str) -> Problem:
    surface = quote_text(utterance[match.start : match.end])
    return Problem(
        Reason.OVERLAPPING_SPANS,
        summary=f"the value of slot {label.slot!r} is at {match.start}:{match.end} ({surface}), "
        f"and slot {claim.slot!r} at {claim.start}:{claim.end} ({quote_text(claim.surface or '')})",
        fix="give spans or an exemplar line, or merge the slots",
        slot=label.slot,
    )


def _report_ambiguity(label: LabelledArgument, matches: Sequence[Match]) -> Problem:
    spans = ", ".join(f"{match.start}:{match.end}" for match in matches[:5])
    return Problem(
        Reason.VALUE_AMBIGUOUS,
        summary=f"{quote_text(label.value)} of slot {label.slot!r} occurs {len(matches)} times ({spans})",
        fix="add an exemplar line, or a span, that says which one is meant",
        slot=label.slot,
    )


def _report_not_found(label: LabelledArgument) -> Problem:
    return Problem(
        Reason.VALUE_NOT_FOUND,
        summary=f"{quote_text(label.value)} of slot {label.slot!r} occurs neither in the utterance "
        "nor in the turns before it",
        fix="correct the value, say it in the text, or declare the parameter `composed` if the model writes it",
        slot=label.slot,
    )
