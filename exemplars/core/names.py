"""Names of sources, recipes and runs: they become parts of paths, of row ids and of stages in `dvc.yaml`."""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec

from exemplars.core.errors import Diagnostic, UserError, quote_text

_CHARACTERS: Final = "[a-z0-9][a-z0-9_-]{0,99}"
_PATTERN: Final = rf"^{_CHARACTERS}\Z"
NAME_RULE: Final = "at most 100 of the characters a-z, 0-9, _ and -, with a letter or digit at the beginning"
Name = Annotated[str, msgspec.Meta(pattern=_PATTERN)]
"""The type of a name in `params.yaml`."""


def is_name(text: str) -> bool:
    r"""Return whether a text is a name that is safe in a path, a row id and a shell's command line.

    >>> is_name("my-bots_2"), is_name("../../evil"), is_name("lab; touch x"), is_name("lab\n")
    (True, False, False, False)
    """
    return re.match(_PATTERN, text) is not None


def is_about_name(message: str) -> bool:
    """Return whether a message of msgspec is about a text that is not a name."""
    return _CHARACTERS in message


def check_name(text: str, role: str) -> str:
    """Return a name unchanged. role: what it names, for the message: `source`.

    Raises `UserError` if the text is not a name.
    """
    if is_name(text):
        return text
    problem = Diagnostic(
        path="params.yaml",
        code="invalid_name",
        found=f"the {role} {quote_text(text)}",
        expected=NAME_RULE,
        fix=f"rename the {role} in params.yaml",
    )
    raise UserError([problem])
