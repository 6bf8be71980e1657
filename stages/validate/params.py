"""The section `validate` of `params.yaml`: the bounds that the expectations refer to by name."""

from __future__ import annotations

import msgspec


class ValidateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds of the data set; an expectation names one as `{"$PARAMETER": "<key>"}`."""

    min_exemplars: int
    max_rejection_rate: float
    min_rows_a_skill: int
    max_skill_share: float
    max_utterance_length: int
    min_rows_a_parameter: int
    max_thin_share: float
    min_skill_entropy: float
    max_association: float
    max_unlabelled_personal_share: float
