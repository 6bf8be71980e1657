"""Two systems' answers to the same row, side by side: which of them people have still to compare, and in what order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import combinations
from typing import Any, NamedTuple

from exemplars.core.conditions import HEADLINE, Condition
from exemplars.core.digests import hash_to_fraction
from exemplars.core.errors import Diagnostic, UserError, suggest_name
from exemplars.core.ids import is_speech_id
from exemplars.core.records import Exemplar
from exemplars.models.calls import CallFormat, MalformedCall, parse_calls
from exemplars.models.preference_rows import (
    PREFERENCE_VERSION,
    PairSource,
    PreferencePair,
    PreferredCall,
    Side,
    Verdict,
)
from exemplars.models.scoring import ErrorKind


class Decision(StrEnum):
    """What a judge says of two answers."""

    LEFT = "left"
    RIGHT = "right"
    TIE = "tie"
    NEITHER = "neither"


class Answer(NamedTuple):
    """The answer of a system."""

    system: str
    text: str
    kind: str
    """The error that it is, or `right`: the judge does not see it."""


class Duel(NamedTuple):
    """Two answers to a row, as the judge sees them."""

    exemplar: Exemplar
    left: Answer
    right: Answer
    shown: tuple[str, ...]
    """The names of the tools in the prompt."""

    @property
    def key(self) -> tuple[str, str, str]:
        """The row and the two systems, whichever is on the left."""
        first, second = sorted((self.left.system, self.right.system))
        return self.exemplar.digest, first, second


class DuelList(NamedTuple):
    """The duels of a judge."""

    open: tuple[Duel, ...]
    judged: int
    """How many the judge has decided."""
    same: int
    """How many there would be more if both systems did not say the same."""


def list_duels(
    predictions: Iterable[Mapping[str, Any]],
    exemplars: Mapping[str, Exemplar],
    pairs: Sequence[PreferencePair],
    judge: str,
    systems: Sequence[str] = (),
    condition: Condition = HEADLINE,
) -> DuelList:
    """List the duels that a judge has not decided, in an order and on sides that depend on hashes alone.

    predictions: rows of `predictions.parquet`. exemplars: of all splits, by id. pairs: the preferences so far.
    systems: whose answers are compared; none given: all. Raises `UserError` if there are fewer than two.
    """
    answers = _group_answers(predictions, condition)
    known = sorted({answer.system for row in answers.values() for answer in row})
    _check_systems(systems, known, condition)
    decided = {_make_key(pair) for pair in pairs if pair.judge == judge and pair.source == PairSource.JUDGE}
    duels, judged, same = [], 0, 0
    for (row_id, shown), row in answers.items():
        exemplar = exemplars.get(row_id)
        chosen = sorted(answer for answer in row if not systems or answer.system in systems)
        for first, second in combinations(chosen, 2):
            if exemplar is None:
                continue
            if first.text.strip() == second.text.strip():
                same += 1
            elif (exemplar.digest, first.system, second.system) in decided:
                judged += 1
            else:
                duels.append(_place_sides(exemplar, first, second, shown, judge))
    duels.sort(key=lambda duel: hash_to_fraction(" ".join(duel.key), f"{judge} order"))
    return DuelList(tuple(duels), judged, same)


def make_judgment(
    duel: Duel, decision: Decision, form: CallFormat, judge: str, pair_id: str, time: str
) -> PreferencePair:
    """Make the line of a decision. form: how calls are written. time: as `2026-11-27T20:00:00Z`."""
    chosen, rejected = duel.left, duel.right
    if decision == Decision.RIGHT:
        chosen, rejected = rejected, chosen
    verdicts = {Decision.TIE: Verdict.TIE, Decision.NEITHER: Verdict.NEITHER}
    verdict = verdicts.get(decision, Verdict.CHOSEN)
    is_error = verdict == Verdict.CHOSEN and rejected.kind != ErrorKind.RIGHT
    return PreferencePair(
        version=PREFERENCE_VERSION,
        id=pair_id,
        row=duel.exemplar.digest,
        chosen=parse_side(chosen.text, form),
        rejected=parse_side(rejected.text, form),
        verdict=verdict,
        kind=rejected.kind if is_error else None,
        chosen_by=chosen.system,
        rejected_by=rejected.system,
        source=PairSource.JUDGE,
        judge=judge,
        time=time,
    )


def parse_side(text: str, form: CallFormat) -> Side:
    """Parse an answer as calls; what is none stays text.

    >>> parse_side("None", CallFormat.PYTHON), parse_side("I will.", CallFormat.PYTHON)
    ((), 'I will.')
    """
    calls = parse_calls(text, form)
    if isinstance(calls, MalformedCall):
        return text if text.strip() else "(no answer)"
    return tuple(PreferredCall(call.skill, dict(call.arguments)) for call in calls)


def summarize_judgments(pairs: Iterable[PreferencePair], duels: DuelList) -> dict[str, Any]:
    """Summarize what was judged, by whom, and what is left."""
    judged = [pair for pair in pairs if pair.source == PairSource.JUDGE]
    return {
        "judgments": len(judged),
        "by_verdict": dict(sorted(Counter(pair.verdict.value for pair in judged).items())),
        "by_judge": dict(sorted(Counter(pair.judge or "" for pair in judged).items())),
        "judged": duels.judged,
        "open": len(duels.open),
        "same_answer": duels.same,
    }


def _group_answers(
    predictions: Iterable[Mapping[str, Any]], condition: Condition
) -> dict[tuple[str, tuple[str, ...]], list[Answer]]:
    """Group the answers by row as written, with the tools that its prompt shows."""
    tools: dict[str, tuple[str, ...]] = {}
    rows: dict[str, list[Answer]] = {}
    for row in predictions:
        if row["condition"] == condition and not is_speech_id(row["id"]):
            row_id = next(iter(row["exemplar_ids"]), row["id"])
            tools[row_id] = max(tools.get(row_id, ()), tuple(row["shown"]), key=len)
            name = row["system"] if condition == HEADLINE else f"{row['system']} ({condition.value})"
            rows.setdefault(row_id, []).append(Answer(name, row["predicted"], row["kind"]))
    return {(row_id, tools[row_id]): answers for row_id, answers in rows.items()}


def _place_sides(
    exemplar: Exemplar, first: Answer, second: Answer, shown: tuple[str, ...], judge: str
) -> Duel:
    key = f"{exemplar.digest} {first.system} {second.system}"
    if hash_to_fraction(key, f"{judge} side") < 0.5:
        return Duel(exemplar, first, second, shown)
    return Duel(exemplar, second, first, shown)


def _make_key(pair: PreferencePair) -> tuple[str, str, str]:
    first, second = sorted((pair.chosen_by or "", pair.rejected_by or ""))
    return pair.row or "", first, second


def _check_systems(systems: Sequence[str], known: Sequence[str], condition: Condition) -> None:
    problems = [
        Diagnostic(
            path="--systems",
            code="unknown_system",
            found=f"the system {system}",
            expected=f"one of {', '.join(known)}",
            fix=suggest_name(system, known) or "correct the name",
        )
        for system in systems
        if system not in known
    ]
    if not problems and len(set(systems or known)) < 2:
        fix = "add a run to train.runs, then `dvc repro`" if not systems else "name two systems"
        found = f"{len(set(systems or known))} system(s) under the condition {condition}"
        problems = [
            Diagnostic(path="--systems", code="no_pair", found=found, expected="at least two", fix=fix)
        ]
    if problems:
        raise UserError(problems)
