"""Which exemplars of a split are rendered: a sample of them, and a quota of those that ask for nothing."""

from __future__ import annotations

from collections.abc import Sequence

from exemplars.core.digests import hash_to_fraction
from exemplars.core.ids import strip_speech
from exemplars.core.ledger import Ledger, Problem
from exemplars.core.records import Exemplar, Mode, Reason


def sample_exemplars(
    exemplars: Sequence[Exemplar], limit: int | None, salt: str, ledger: Ledger
) -> list[Exemplar]:
    """Sample exemplars by a stable hash of their ids, and reject the others; keep their order.

    A smaller sample is a subset of a larger one. A speech view goes with its row, and does not count.

    limit: the size of the sample; `None`: all.
    """
    row_ids = {strip_speech(exemplar.id) for exemplar in exemplars}
    sampled = set(sorted(row_ids, key=lambda row_id: hash_to_fraction(row_id, salt))[:limit])
    problem = Problem(
        Reason.NOT_DRAWN, found=f"more than {limit} exemplars in this split", fix="raise render.max_rows"
    )
    return ledger.keep(exemplars, lambda exemplar: None if strip_speech(exemplar.id) in sampled else problem)


def limit_none_share(
    exemplars: Sequence[Exemplar], max_share: float, salt: str, ledger: Ledger
) -> list[Exemplar]:
    """Reject the exemplars that ask for nothing and are over quota; keep the order of the others.

    max_share: the largest share of what is kept that may ask for nothing.
    """
    silent = [exemplar for exemplar in exemplars if exemplar.mode == Mode.NONE]
    others = len(exemplars) - len(silent)
    quota = len(silent) if max_share == 1 else int(others * max_share / (1 - max_share))
    silent.sort(key=lambda exemplar: hash_to_fraction(exemplar.digest, salt))
    problem = Problem(
        Reason.OVER_SHARE,
        found=f"a share of rows that ask for nothing above {max_share:g}",
        fix="raise render.max_none_share",
    )
    return ledger.drop(exemplars, {exemplar.id: problem for exemplar in silent[quota:]})
