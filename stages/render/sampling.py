"""Which turns of a split are rendered: a sample of them, and a quota of those that ask for nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from exemplars.core.digests import hash_to_fraction
from exemplars.core.ledger import Ledger, Problem
from exemplars.core.records import Mode, Reason
from exemplars.models.turns import TurnRows


def sample_turns(turns: Sequence[TurnRows], limit: int | None, salt: str, ledger: Ledger) -> list[TurnRows]:
    """Sample turns by a stable hash of their first ids, and reject the others; keep their order.

    A smaller sample is a subset of a larger one. A speech view goes with its turn, and does not count.

    limit: the size of the sample; `None`: all.
    """
    keys = {turn.sampling_key for turn in turns}
    sampled = set(sorted(keys, key=lambda key: hash_to_fraction(key, salt))[:limit])
    problem = Problem(
        Reason.NOT_DRAWN, found=f"more than {limit} turns in this split", fix="raise render.max_rows"
    )
    return _reject_turns(
        turns, {turn.id for turn in turns if turn.sampling_key not in sampled}, problem, ledger
    )


def limit_none_share(
    turns: Sequence[TurnRows], max_share: float, salt: str, ledger: Ledger
) -> list[TurnRows]:
    """Reject the turns that ask for nothing and are over quota; keep the order of the others.

    A turn with a reply does not count: its answer is that text.

    max_share: the largest share of what is kept that may ask for nothing.
    """
    silent = [turn for turn in turns if is_silent(turn)]
    others = len(turns) - len(silent)
    quota = len(silent) if max_share == 1 else int(others * max_share / (1 - max_share))
    silent.sort(key=lambda turn: hash_to_fraction(turn.content_key, salt))
    problem = Problem(
        Reason.OVER_SHARE,
        found=f"a share of rows that ask for nothing above {max_share:g}",
        fix="raise render.max_none_share",
    )
    return _reject_turns(turns, {turn.id for turn in silent[quota:]}, problem, ledger)


def is_silent(turn: TurnRows) -> bool:
    """Return whether a turn asks for nothing, and is answered by nothing."""
    return turn.reply is None and all(row.mode == Mode.NONE for row in turn.rows)


def _reject_turns(
    turns: Sequence[TurnRows], ids: Collection[str], problem: Problem, ledger: Ledger
) -> list[TurnRows]:
    """Reject the rows of the turns with these ids; return the other turns."""
    for turn in turns:
        if turn.id in ids:
            for row in turn.rows:
                ledger.reject(row, problem)
    return [turn for turn in turns if turn.id not in ids]
