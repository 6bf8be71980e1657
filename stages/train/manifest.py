"""What a run is called, and what its manifest records."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import msgspec

from exemplars.core.digests import hash_content, hash_split
from exemplars.models.run_manifest import Manifest
from stages.train.params import RunParams

_HASH_DIGITS: Final = 12
_CODE: Final = ("exemplars", "stages", "params.yaml")
"""What a result depends on, besides data."""
PACKAGES: Final = (
    "torch",
    "transformers",
    "trl",
    "peft",
    "accelerate",
    "tokenizers",
    "datasets",
    "bitsandbytes",
    "sentence-transformers",
)


def encode_digests(digests: Iterable[str]) -> bytes:
    """Encode `rows.txt`: the sorted digests, one a line."""
    return "".join(f"{digest}\n" for digest in sorted(digests)).encode("ascii")


def hash_params(params: RunParams, base_sha256: str, rows: object, validation: object) -> str:
    """Hash all that determines a run in addition to its data: recipe, base, and the form of its rows.

    rows, validation: the rows as the recipe takes them, to be encoded as JSON.
    """
    parts = (
        msgspec.to_builtins(params.chosen),
        msgspec.to_builtins(params.shared),
        base_sha256,
        hash_content(msgspec.json.encode((rows, validation))),
    )
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


def build_run_id(recipe: str, digests: Iterable[str], params_hash: str) -> str:
    """Build `<recipe>-<data hash>-<params hash>`, the hashes cut to 12 digits."""
    return f"{recipe}-{hash_split(set(digests))[:_HASH_DIGITS]}-{params_hash[:_HASH_DIGITS]}"


def describe_run() -> dict[str, Any]:
    """Describe with which code, packages and machine a run is made: fields of a `Manifest`."""
    return {
        "code": read_code_revision(Path()),
        "packages": list_packages(),
        "hardware": describe_hardware(),
    }


def list_packages() -> dict[str, str]:
    """List the versions of the packages that training depends on, as far as they are installed."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def describe_hardware() -> dict[str, Any]:
    """Describe the machine: processor, cores, threads and GPUs."""
    import torch

    gpus = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return {
        "machine": platform.machine(),
        "processor": _read_processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpus": gpus,
    }


def _read_processor() -> str:
    """Read the name of the processor, as far as the system reports it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def read_code_revision(folder: Path) -> str | None:
    """Read the git revision of a folder; `None` if it is not under git.

    A `+` is appended if tracked code or `params.yaml` was changed since.
    """
    try:
        revision = _git(folder, "rev-parse", "HEAD").strip()
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", *_CODE)
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{revision}+" if changed.strip() else revision


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def summarize_run(manifest: Manifest) -> str:
    """Summarize a run in a line for people."""
    losses = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in manifest.losses.items())
    return f"train: {manifest.run}, {manifest.steps} steps, {manifest.tokens:,} tokens; {losses}"
