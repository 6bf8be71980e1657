"""Copies of what was read from GGUF files: to read such a model takes 25 s of processor time, its copy half a second.

They are outside of all projects, in the user's cache, and hold nothing but a public base model. A copy has the hash of
its files in it: one that was changed is not used, and made again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from exemplars.core.errors import UserError
from exemplars.core.files import read_file, write_bytes
from exemplars.core.folders import replace_folder

CACHE_VARIABLE: Final = "EXEMPLARS_CACHE"
"""The environment variable with the folder of the copies; empty: none are made."""
_HASH_FILE: Final = "copy.sha256"
"""Its suffix is none of those that are hashed."""
_MIN_FREE_BYTES: Final = 4 * 2**30
"""A disk with less free space gets no copy: it is worth less than room for the outputs of a stage."""


class Part(StrEnum):
    """What is copied."""

    MODEL = "model"
    """The weights in fp32, and their configuration."""
    TOKENIZER = "tokenizer"


def find_copy(sha256: str, part: Part, hash_folder: Callable[[Path], str]) -> Path | None:
    """Find the copy of a part of a GGUF file; `None` if it is missing or was changed.

    sha256: of the file. hash_folder: hashes the files of a folder that affect what a model computes.
    """
    folder = _locate_copy(sha256, part)
    try:
        if folder is None or read_file(folder / _HASH_FILE).decode("ascii") != hash_folder(folder):
            return None
    except (UserError, OSError, UnicodeDecodeError):
        return None
    return folder


def make_copy(sha256: str, part: Part, hash_folder: Callable[[Path], str], read: Callable[[], Any]) -> None:
    """Make the copy of a part of a GGUF file, if there is room for it and its folder can be written.

    read: reads the part from the file; what it returns has `save_pretrained`. Other arguments as for `find_copy`.
    """
    from safetensors import SafetensorError

    folder = _locate_copy(sha256, part)
    if folder is None:
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder.parent).free < _MIN_FREE_BYTES:
            return
        with replace_folder(folder) as new:
            read().save_pretrained(str(new))
            write_bytes(new / _HASH_FILE, hash_folder(new).encode("ascii"))
    except (OSError, SafetensorError):
        return  # A home that is read-only is no reason to fail: the file itself can be read.


def _locate_copy(sha256: str, part: Part) -> Path | None:
    """Return where a copy is, or would be: other versions of the libraries may read the same file differently."""
    root = os.environ.get(CACHE_VARIABLE)
    if root is None:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        root = str(Path(home) / "exemplars")
    if not root or not sha256:
        return None
    libraries = f"transformers-{version('transformers')}-gguf-{version('gguf')}"
    return Path(root) / "bases" / f"{sha256[:32]}-{libraries}" / part
