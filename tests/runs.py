"""Manifests of runs that were never trained."""

from __future__ import annotations

from typing import Any

import msgspec

from exemplars.models.base_models import PackagedBase
from exemplars.models.run_manifest import Manifest

_RUN = Manifest(
    run="lora-1-2",
    recipe="lora",
    params={},
    data_hashes={},
    rows_sha256="0" * 64,
    base=PackagedBase("llm_tiny", "Tiny.Q4.gguf", "b" * 64, "Apache-2.0"),
    base_sha256="b" * 64,
    base_license="Apache-2.0",
    weights_sha256="c" * 64,
    code="d" * 40,
    packages={"torch": "2.13.0+cpu", "peft": "0.21.2"},
    hardware={},
    seed=1,
    seconds=1.0,
    tokens=1,
    steps=1,
    resumed_from=None,
    losses={},
)


def make_manifest(**changes: Any) -> Manifest:
    """Make the manifest of a run on a packaged base, with some fields changed."""
    return msgspec.structs.replace(_RUN, **changes)
