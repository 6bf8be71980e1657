"""A sentence encoder of the BERT family without the import of sentence-transformers, which takes 2 s.

It only computes, as sentence-transformers' modules do: a BERT, the mean over its tokens, vectors of length 1. Imports
torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from exemplars.models.tagger.light_encoder import LightEncoder, load_light_encoder

_MODULES: Final = ("Transformer", "Pooling", "Normalize")


class _Module(msgspec.Struct, frozen=True):
    type: str
    path: str


class _Pooling(msgspec.Struct, frozen=True):
    pooling_mode: Literal["mean"]
    include_prompt: Literal[True] = True


class _Tokens(NamedTuple):
    ids: list[list[int]]
    mask: list[list[int]]


class LightSentenceEncoder:
    """What a retriever needs of a `SentenceTransformer`."""

    def __init__(self, encoder: LightEncoder, tokenizer: Any) -> None:
        """tokenizer: of the library tokenizers."""
        self.max_seq_length = 0
        """The window; longer texts are cut."""
        self.prompts: Mapping[str, str] = {}
        self.truncate_dim: int | None = None
        """The width that vectors are cut to; `None`: they are not cut."""
        self._encoder = encoder
        self._tokenizer = tokenizer

    def tokenizer(self, text: str, **_: Any) -> dict[str, list[int]]:
        """Tokenize a text, with special tokens; it is not cut."""
        self._tokenizer.no_truncation()
        return {"input_ids": self._tokenizer.encode(text).ids}

    def get_embedding_dimension(self) -> int:
        """Return the width of the vectors before they are cut."""
        return self._encoder.config.hidden_size

    def encode_query(self, texts: Sequence[str], **options: Any) -> NDArray[np.float32]:
        """Encode questions as unit vectors, of shape (texts, width)."""
        vectors: NDArray[np.float32] = self._encode(texts, self.prompts.get("query", ""), **options)
        return vectors

    def encode_document(self, texts: Sequence[str], **options: Any) -> NDArray[np.float32]:
        """Encode documents as unit vectors, of shape (texts, width)."""
        vectors: NDArray[np.float32] = self._encode(texts, self.prompts.get("document", ""), **options)
        return vectors

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def _encode(self, texts: Sequence[str], prompt: str, *, batch_size: int, **_: Any) -> NDArray[np.float32]:
        """Encode texts in batches of similar length."""
        order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
        vectors = np.empty((len(texts), self.truncate_dim or self.get_embedding_dimension()), np.float32)
        for start in range(0, len(order), batch_size):
            places = order[start : start + batch_size]
            ids, mask = self._tokenize([prompt + texts[place] for place in places])
            tokens, weights = torch.tensor(ids), torch.tensor(mask)
            states = self._encoder(tokens, weights, torch.zeros_like(tokens)).last_hidden_state
            kept = weights.unsqueeze(-1).float()
            means = (states * kept).sum(1) / kept.sum(1).clamp(min=1e-9)
            cut = torch.nn.functional.normalize(means, dim=-1)[:, : vectors.shape[1]]
            vectors[places] = torch.nn.functional.normalize(cut, dim=-1).numpy()
        return vectors

    def _tokenize(self, texts: Sequence[str]) -> _Tokens:
        self._tokenizer.enable_truncation(self.max_seq_length)
        self._tokenizer.enable_padding()
        encodings = self._tokenizer.encode_batch(list(texts))
        self._tokenizer.no_padding()
        return _Tokens([encoding.ids for encoding in encodings], [row.attention_mask for row in encodings])


def load_light_sentence_encoder(folder: Path) -> LightSentenceEncoder | None:
    """Load an encoder from a folder that `save_encoder` wrote; `None` if it has modules that are not known here."""
    from tokenizers import Tokenizer

    try:
        modules = msgspec.json.decode((folder / "modules.json").read_bytes(), type=list[_Module])
        pooling = next(module for module in modules if module.type.endswith(".Pooling"))
        msgspec.json.decode((folder / pooling.path / "config.json").read_bytes(), type=_Pooling)
    except (OSError, msgspec.DecodeError, StopIteration):
        return None
    names = tuple(module.type.rpartition(".")[2] for module in modules)
    loaded = load_light_encoder(folder) if names in (_MODULES, _MODULES[:2]) else None
    if loaded is None:
        return None
    return LightSentenceEncoder(loaded[0], Tokenizer.from_file(str(folder / "tokenizer.json")))
