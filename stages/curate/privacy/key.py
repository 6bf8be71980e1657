"""The key of surrogates: read from the environment, never written anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from exemplars.core.errors import Diagnostic, UserError
from stages.curate.params import PrivacyMode

KEY_VARIABLE: Final = "EXEMPLARS_SURROGATE_KEY"
MIN_KEY_LENGTH: Final = 16
"""In characters."""


def read_surrogate_key(mode: PrivacyMode, environment: Mapping[str, str]) -> bytes | None:
    """Read the key, or return `None` if the mode needs no key.

    Raises `UserError` if the mode is `surrogate`, and the key is missing or too short.
    """
    if mode is not PrivacyMode.SURROGATE:
        return None
    key = environment.get(KEY_VARIABLE, "")
    if len(key) >= MIN_KEY_LENGTH:
        return key.encode("utf-8")
    state = "too short" if key else "not set"
    raise UserError(
        [
            Diagnostic(
                path="params.yaml",
                code="no_surrogate_key",
                found=f"{KEY_VARIABLE} {state}",
                expected=f"a secret of at least {MIN_KEY_LENGTH} characters in the environment, "
                "because curate.privacy.mode is surrogate",
                fix=f"run `export {KEY_VARIABLE}=$(openssl rand -hex 32)`, and keep the key",
            )
        ]
    )
