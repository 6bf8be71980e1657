"""What no row shows alone: duplicates, and labels that contradict each other.

Two rows say the same where service, utterance and context are equal. Saying the same, they are
duplicates if they mean the same, and contradict each other if they do not. The service is part of
it: rows of two services are not offered to a model together.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from exemplars.core.records import Exemplar, Reason, Rejection

_encode: Final = msgspec.json.Encoder().encode
_SHOWN: Final = 3
_SIEVED: Final = 3
"""How many turns before the sieve looks at."""


def said_key(exemplar: Exemplar) -> int:
    """A 63-bit number that is equal where service, utterance and context are."""
    said = _encode((exemplar.service, exemplar.utterance, exemplar.context))
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "big") >> 1


def nearly_said_key(exemplar: Exemplar) -> int:
    """A number that is equal where `said_key` is, and seldom elsewhere; cheap, for a first sieve."""
    last = [turn.utterance for turn in exemplar.context[-_SIEVED:]]
    said = "\x00".join([exemplar.service or "", exemplar.utterance, *last])
    return int.from_bytes(hashlib.blake2b(said.encode(), digest_size=8).digest(), "big") >> 1


def contradicted(exemplars: Sequence[Exemplar]) -> dict[str, Rejection]:
    """The ledger's rows of those exemplars that cannot stay, by id.

    Of duplicates the first by id stays; of contradicting rows none does.
    """
    by_said: dict[int, list[Exemplar]] = defaultdict(list)
    for one in sorted(exemplars, key=lambda exemplar: exemplar.id):
        by_said[said_key(one)].append(one)
    rejections: dict[str, Rejection] = {}
    for same in by_said.values():
        if len(same) > 1:
            rejections.update({one.id: one for one in _judge(same)})
    return rejections


def _judge(same: list[Exemplar]) -> Iterable[Rejection]:
    if len({one.digest for one in same}) > 1:
        for one in same:
            others = [other for other in same if other.digest != one.digest]
            yield _rejected(
                one,
                Reason.CONFLICTING_LABEL,
                f"found {_call(one)}, but {_places(others)} say the same and mean "
                f"{_call(others[0])}, expected one meaning; correct one of them",
            )
        return
    for one in same[1:]:
        yield _rejected(
            one,
            Reason.DUPLICATE_EXEMPLAR,
            f"found the row of {same[0].id} again, expected each row once; remove one of them",
        )


def _call(exemplar: Exemplar) -> str:
    arguments = ", ".join(f"{one.slot}={one.value!r}" for one in exemplar.arguments[:_SHOWN])
    more = ", …" if len(exemplar.arguments) > _SHOWN else ""
    return f"{exemplar.mode} {exemplar.skill or 'no skill'}({arguments}{more})"


def _places(exemplars: Sequence[Exemplar]) -> str:
    more = f" and {len(exemplars) - _SHOWN} more" if len(exemplars) > _SHOWN else ""
    return ", ".join(one.id for one in exemplars[:_SHOWN]) + more


def _rejected(exemplar: Exemplar, reason: Reason, message: str) -> Rejection:
    return Rejection(
        id=exemplar.id,
        source=exemplar.source,
        stage="compile",
        reason=reason,
        message=f"{exemplar.origin.path}#{exemplar.origin.locator}: {message}",
        origin=exemplar.origin,
        group=exemplar.group,
        skill=exemplar.skill,
        utterance=exemplar.utterance,
    )
