"""An encoder of the BERT family and its tokenizer without transformers, whose import takes most of a first answer.

The computation is that of transformers' `BertModel` (Devlin et al. 2019), with learned positions and GELU. Imports
torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import msgspec
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

_WEIGHTS: Final = "model.safetensors"


class BertConfig(msgspec.Struct, frozen=True):
    """The keys of `config.json` that the computation depends on; a different value is not supported."""

    model_type: Literal["bert"]
    hidden_act: Literal["gelu"]
    hidden_size: int
    layer_norm_eps: float
    num_attention_heads: int
    num_hidden_layers: int
    type_vocab_size: int
    is_decoder: Literal[False] = False
    position_embedding_type: Literal["absolute"] = "absolute"


class States(NamedTuple):
    """What an encoder computes."""

    last_hidden_state: Tensor
    """Of shape (rows, tokens, width)."""


class LightEncoder:
    """A BERT that only computes."""

    def __init__(self, config: BertConfig, weights: Mapping[str, Tensor]) -> None:
        """weights: by the names that transformers gives them."""
        self.config = config
        self._weights = weights

    def __call__(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> States:
        """Encode texts. All three have the shape (rows, tokens); the mask is 1 where there is a token."""
        words, types, positions = (
            self._weights[f"embeddings.{name}_embeddings.weight"]
            for name in ("word", "token_type", "position")
        )
        states = functional.embedding(input_ids, words) + functional.embedding(token_type_ids, types)
        states = self._normalize("embeddings", states + positions[: input_ids.shape[1]])
        mask = attention_mask.bool()[:, None, None, :]
        for number in range(self.config.num_hidden_layers):
            layer = f"encoder.layer.{number}"
            states = self._attend(f"{layer}.attention", states, mask)
            inner = functional.gelu(self._project(f"{layer}.intermediate.dense", states))
            outer = self._project(f"{layer}.output.dense", inner)
            states = self._normalize(f"{layer}.output", outer + states)
        return States(states)

    def _attend(self, name: str, states: Tensor, mask: Tensor) -> Tensor:
        heads = (*states.shape[:2], self.config.num_attention_heads, -1)
        query, key, value = (
            self._project(f"{name}.self.{part}", states).view(heads).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        joined = self._project(f"{name}.output.dense", mixed.transpose(1, 2).reshape(states.shape))
        return self._normalize(f"{name}.output", joined + states)

    def _project(self, name: str, states: Tensor) -> Tensor:
        projected: Tensor = functional.linear(
            states, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        )
        return projected

    def _normalize(self, name: str, states: Tensor) -> Tensor:
        weight, bias = (self._weights[f"{name}.LayerNorm.{part}"] for part in ("weight", "bias"))
        normalized: Tensor = functional.layer_norm(
            states, (self.config.hidden_size,), weight, bias, self.config.layer_norm_eps
        )
        return normalized


class LightEncoding(msgspec.Struct, frozen=True):
    """The tokens of a text, as transformers returns them."""

    input_ids: list[int]
    offset_mapping: list[tuple[int, int]]
    words: list[int | None]

    def __getitem__(self, key: str) -> Any:
        """Return a list by its name."""
        return getattr(self, key)

    def word_ids(self) -> list[int | None]:
        """List the number of the word of each token."""
        return self.words


class LightTokenizer:
    """A tokenizer of the library tokenizers, called like one of transformers, without special tokens."""

    def __init__(self, tokenizer: Any, special: Sequence[int | None]) -> None:
        """special: the ids of the tokens for beginning, end and padding."""
        self._tokenizer = tokenizer
        self.cls_token_id, self.sep_token_id, self.pad_token_id = special

    def __call__(self, text: str, **_: Any) -> LightEncoding:
        """Tokenize a text."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return LightEncoding(encoding.ids, encoding.offsets, encoding.word_ids)


class _TokenizerConfig(msgspec.Struct, frozen=True):
    cls_token: str
    sep_token: str
    pad_token: str


def load_light_encoder(folder: Path) -> tuple[LightEncoder, LightTokenizer] | None:
    """Load an encoder and its tokenizer from a folder that `save_pretrained` wrote.

    Returns `None` if the encoder is no BERT, or if a file is missing: transformers loads more kinds.
    """
    from tokenizers import Tokenizer

    try:
        config = msgspec.json.decode((folder / "config.json").read_bytes(), type=BertConfig)
        names = msgspec.json.decode((folder / "tokenizer_config.json").read_bytes(), type=_TokenizerConfig)
        weights = load_file(folder / _WEIGHTS)
        rules = (folder / "tokenizer.json").read_text("utf-8")
    except (msgspec.DecodeError, FileNotFoundError):
        return None
    tokenizer = Tokenizer.from_str(rules)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    special = [tokenizer.token_to_id(name) for name in (names.cls_token, names.sep_token, names.pad_token)]
    if None in special:
        return None
    return LightEncoder(config, weights), LightTokenizer(tokenizer, special)
