"""Sentence encoders: files, window, and vectors of questions and documents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
from safetensors import SafetensorError

from exemplars.core.errors import Diagnostic, UserError
from exemplars.models.base_models import BaseFiles
from exemplars.models.retriever.index import Vectors

if TYPE_CHECKING:  # The import of sentence_transformers takes two seconds.
    from sentence_transformers import SentenceTransformer

    from exemplars.models.retriever.light_encoder import LightSentenceEncoder

    Encoder: TypeAlias = SentenceTransformer | LightSentenceEncoder

_BATCH: Final = 64


class Prompts(NamedTuple):
    """What comes before every question and every document; some encoders want an instruction."""

    query: str = ""
    document: str = ""


def load_sentence_encoder(files: BaseFiles) -> SentenceTransformer:
    """Load an encoder with its pooling, or with mean pooling if its folder does not say; in fp32.

    No remote code, no network. Raises `UserError` if it cannot be read.
    """
    from sentence_transformers import SentenceTransformer

    try:
        encoder = SentenceTransformer(
            files.folder, local_files_only=True, trust_remote_code=False, model_kwargs={"dtype": "float32"}
        )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        problem = Diagnostic(
            path=files.name,
            code="base_model",
            found=reason[:200],
            expected="an encoder that sentence-transformers can load",
            fix="correct the encoder of the recipe in params.yaml",
        )
        raise UserError([problem]) from None
    return encoder.eval()


def set_window(encoder: Encoder, max_tokens: int, prompts: Prompts, dimensions: int | None) -> None:
    """Set the window of an encoder, its prompts, and the width that vectors are cut to; `None`: they are not cut."""
    encoder.max_seq_length = max_tokens
    encoder.prompts = prompts._asdict()
    encoder.truncate_dim = dimensions


def count_tokens(encoder: Encoder, text: str) -> int:
    """Count the tokens of a text, with the special tokens around it."""
    return len(encoder.tokenizer(text, truncation=False, verbose=False)["input_ids"])


def encode_documents(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """Encode documents as unit vectors, of shape (texts, width)."""
    return _encode(encoder, texts, "document")


def encode_queries(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """Encode questions as unit vectors, of shape (texts, width)."""
    return _encode(encoder, texts, "query")


def _encode(encoder: Encoder, texts: Sequence[str], kind: str) -> Vectors:
    if not texts:
        width = encoder.truncate_dim or encoder.get_embedding_dimension()
        return np.zeros((0, int(width or 0)), np.float32)
    encode: Any = encoder.encode_query if kind == "query" else encoder.encode_document
    vectors: Vectors = encode(
        list(texts), batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False
    )
    return vectors


def save_encoder(encoder: SentenceTransformer, folder: Path) -> None:
    """Save an encoder so that sentence-transformers can load the folder; the same weights give the same files."""
    arguments = encoder.tokenizer.init_kwargs
    # Where the encoder was on this machine, and how it was loaded, would be written, too.
    for name in ("local_files_only", "is_local", "vocab_file", "name_or_path"):
        arguments.pop(name, None)
    encoder.save_pretrained(str(folder), create_model_card=False)
