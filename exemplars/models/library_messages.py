"""Messages and progress bars of the machine-learning libraries: which ones users never see."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from typing import Final

_IRRELEVANT: Final = {
    # An optional kernel that would be downloaded from a hub; nothing is missing without it.
    "bitsandbytes.backends.cpu.ops": "Failed to load CPU gemm_4bit_forward",
    # Checkpoints are ordered by their numbers, as they should be.
    "transformers.trainer_utils": "mtime may not be reliable on this filesystem",
}
"""The beginning of a message that asks users for nothing, by its logger."""


def suppress_library_messages() -> None:
    """Hide messages of libraries that users can do nothing about, and progress bars if there is no terminal.

    Call it before tqdm is imported, which reads its environment once.
    """
    for name in _IRRELEVANT:
        logging.getLogger(name).addFilter(_is_relevant)
    # With soft prompts peft numbers the positions itself.
    warnings.filterwarnings("ignore", "Position ids are not supported for parameter efficient", UserWarning)
    if not sys.stderr.isatty():
        os.environ["TQDM_DISABLE"] = "1"


def _is_relevant(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_IRRELEVANT[record.name])
