"""The section `validate` of `params.yaml`: the bounds that expectations refer to by name."""

from __future__ import annotations

from typing import Annotated

import msgspec

NonNegativeInt = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class ValidateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds of the dataset; an expectation refers to a bound as `{"$PARAMETER": "<key>"}`."""

    min_exemplars: NonNegativeInt = 1
    """Minimum number of exemplars."""
    max_rejection_rate: Share = 0.1
    """Maximum share of a source's records in scope that may be rejected."""
    min_rows_a_skill: NonNegativeInt = 3
    """Minimum number of exemplars of a skill; below it, the stage warns."""
    max_skill_share: Share = 0.4
    """Maximum share of all exemplars that one skill, or no skill, may have."""
    max_utterance_length: Annotated[int, msgspec.Meta(ge=1)] = 2000
    """Maximum length of an utterance, in code points."""
    min_rows_a_parameter: NonNegativeInt = 3
    """A skill or parameter with fewer exemplars than this is thin."""
    max_thin_share: Share = 0.25
    """Maximum share of thin skills and parameters."""
    min_skill_entropy: Share = 0.7
    """Minimum normalized entropy of exemplars over skills: 1 if they are even, 0 if all have the same skill."""
    max_association: Share = 0.9
    """Maximum association (Cramer's V) of gender, place or age with skills."""
    max_unlabelled_personal_share: Annotated[float, msgspec.Meta(ge=0)] = 0.05
    """Maximum number of pieces of personal data that no argument labels, per exemplar."""
    min_test_rows: NonNegativeInt = 100
    """Minimum number of rows in the test split; below it, the stage warns: figures of the model have wide
    intervals."""
