"""Output of commands for programs."""

from __future__ import annotations

import re
import sys
from typing import Any, Final

from exemplars.core.files import encode_json

_UNSAFE: Final = re.compile(r"[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What JSON allows in texts, and a terminal obeys."""


def print_json(document: Any) -> None:
    """Print a document as indented JSON, in UTF-8 whatever the encoding of the standard output is.

    What a terminal obeys is written as an escape of JSON, so that programs read it as it is.
    """
    text = _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", encode_json(document).decode())
    if not hasattr(sys.stdout, "buffer"):
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()
