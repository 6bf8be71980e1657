"""Output of commands for programs."""

from __future__ import annotations

import sys
from typing import Any

from exemplars.core.files import encode_json


def print_json(document: Any) -> None:
    """Print a document as indented JSON."""
    sys.stdout.write(encode_json(document).decode())
