"""The section `validate` of `params.yaml`: the bounds that expectations refer to by name."""

from __future__ import annotations

from typing import Annotated

import msgspec

NonNegativeInt = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class ValidateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds of the dataset; an expectation refers to a bound as `{"$PARAMETER": "<key>"}`."""

    min_exemplars: NonNegativeInt
    max_rejection_rate: Share
    min_rows_a_skill: NonNegativeInt
    max_skill_share: Share
    max_utterance_length: Annotated[int, msgspec.Meta(ge=1)]
    min_rows_a_parameter: NonNegativeInt
    max_thin_share: Share
    min_skill_entropy: Share
    max_association: Share
    max_unlabelled_personal_share: Annotated[float, msgspec.Meta(ge=0)]
    """Per exemplar; above 1 if exemplars may have several each."""
    min_test_rows: NonNegativeInt = 100
    """Below it, the stage warns: figures of the model would have wide intervals."""
