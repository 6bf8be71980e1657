"""What a run is called, and what is said of it."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import msgspec

from exemplars.core.digests import hash_content, hash_split
from stages.train.params import TrainParams
from stages.train.rows import Row

_SHORT: Final = 12
PACKAGES: Final = (
    "torch",
    "transformers",
    "trl",
    "peft",
    "accelerate",
    "tokenizers",
    "datasets",
    "bitsandbytes",
)


def rows_file(digests: Iterable[str]) -> bytes:
    """The sorted digests of the rows, one a line; one row may stand in several prompts."""
    return "".join(f"{digest}\n" for digest in sorted(digests)).encode("ascii")


def params_hash(params: TrainParams, base_sha256: str, rows: Sequence[Row], watched: Sequence[Row]) -> str:
    """The hash of all that makes a run beside its data: recipe, base, and how the rows were rendered."""
    parts = (
        msgspec.to_builtins(params.chosen),
        msgspec.to_builtins(params.shared),
        base_sha256,
        hash_content(msgspec.json.encode((rows, watched))),
    )
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


def run_id(recipe: str, digests: Iterable[str], params: str) -> str:
    """`<recipe>-<data hash>-<params hash>`."""
    return f"{recipe}-{hash_split(set(digests))[:_SHORT]}-{params[:_SHORT]}"


def packages() -> dict[str, str]:
    """The versions of the packages that training depends on, as far as they are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def hardware() -> dict[str, Any]:
    """What the training ran on."""
    import torch

    gpus = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return {
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpus": gpus,
    }


def _processor() -> str:
    """What the processor calls itself, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def code_revision(folder: Path) -> str | None:
    """The git revision of a folder, `+` behind it where tracked code differs; null where there is no git."""
    try:
        revision = _git(folder, "rev-parse", "HEAD").strip()
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", "stages", "params.yaml")
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{revision}+" if changed.strip() else revision


def card_fields(losses: Mapping[str, float]) -> dict[str, float]:
    """Losses as they are reported: six significant places are the same on runs of one machine."""
    return {name: round(value, 6) for name, value in losses.items()}


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout
