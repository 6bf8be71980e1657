"""Labels that contradict each other: equal texts in equal contexts that mean different things."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from exemplars.core.records import Exemplar
from exemplars.dataset.texts import normalize_text
from stages.curate.params import OnConflict


class Conflict(NamedTuple):
    """Rows that say the same and do not mean the same, sorted by id."""

    rows: tuple[Exemplar, ...]
    majority: str | None
    """The meaning that more than half of the rows have; null where none has."""

    @property
    def meanings(self) -> tuple[str, ...]:
        """The different meanings, sorted."""
        return tuple(sorted({meaning(one) for one in self.rows}))


def meaning(exemplar: Exemplar) -> str:
    """A row's label as a call: `call(who="Mum")`, `not call()`, `nothing`."""
    if exemplar.skill is None:
        return "nothing"
    values = ", ".join(
        f"{one.slot}={one.value!r}" for one in sorted(exemplar.arguments, key=lambda a: a.slot)
    )
    return f"{'not ' if exemplar.mode == 'negative' else ''}{exemplar.skill}({values})"


def conflicts_among(exemplars: Iterable[Exemplar], context_turns: int) -> list[Conflict]:
    """All conflicts, in the order of their first rows.

    context_turns: how many of the turns before must be equal too. Rows of different services are not
    offered to a model together, and do not contradict each other.
    """
    same: dict[tuple[object, ...], list[Exemplar]] = defaultdict(list)
    for one in sorted(exemplars, key=lambda exemplar: exemplar.id):
        turns = one.context[-context_turns:] if context_turns else ()
        key = (
            one.service,
            normalize_text(one.utterance),
            *(normalize_text(turn.utterance) for turn in turns),
        )
        same[key].append(one)
    found = []
    for rows in same.values():
        counts = Counter(meaning(one) for one in rows)
        if len(counts) > 1:
            best, votes = counts.most_common(1)[0]
            found.append(Conflict(tuple(rows), best if votes * 2 > len(rows) else None))
    return found


def rejected_rows(conflicts: Iterable[Conflict], action: OnConflict) -> dict[str, Conflict]:
    """The ids of the rows that `action` takes out, each with its conflict.

    A conflict without a majority keeps no row where the majority decides.
    """
    if action is OnConflict.KEEP:
        return {}
    return {
        one.id: conflict
        for conflict in conflicts
        for one in conflict.rows
        if action is OnConflict.REJECT or meaning(one) != conflict.majority
    }
