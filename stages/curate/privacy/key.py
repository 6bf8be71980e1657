"""The key that surrogates are made with: from the environment, never written anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from exemplars.core.errors import Diagnostic, UserError
from stages.curate.params import PrivacyMode

VARIABLE: Final = "EXEMPLARS_SURROGATE_KEY"
SHORTEST: Final = 16


def surrogate_key(mode: PrivacyMode, environment: Mapping[str, str]) -> bytes | None:
    """The key, or null where the mode needs none.

    Raises `UserError` where surrogates are wanted, and no key of at least 16 characters is set.
    """
    if mode is not PrivacyMode.SURROGATE:
        return None
    key = environment.get(VARIABLE, "")
    if len(key) >= SHORTEST:
        return key.encode("utf-8")
    raise UserError(
        [
            Diagnostic(
                path="params.yaml",
                code="no_surrogate_key",
                found=f"curate.privacy.mode surrogate, and {VARIABLE} {'too short' if key else 'not set'}",
                expected=f"a secret of at least {SHORTEST} characters in the environment",
                fix=f"set it, for one: export {VARIABLE}=$(openssl rand -hex 32), and keep it",
            )
        ]
    )
