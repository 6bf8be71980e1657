"""A tiny model with its own tokenizer, made in the test: it is real, and trains within a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exemplars.models.base_models import FolderBase
from exemplars.models.calls import CallFormat
from exemplars.models.prompt_style import ToolForm
from exemplars.models.render_manifest import RenderManifest

TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '</s>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
TEXT = [
    "Call one. call(contact, device=home|work) set_timer(minutes:int, label) weather(location, day)",
    'call(contact="mum", device="work") set_timer(minutes=10, label="tea") weather(location="Oslo") None',
    "ring mum at work please set a timer for ten minutes what is the weather in Oslo tomorrow thanks no",
]


def make_tokenizer(template: str | None = TEMPLATE) -> Any:
    """Make a byte-level tokenizer with a chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["</s>", "<|system|>", "<|user|>", "<|assistant|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(TEXT, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", chat_template=template)


def save_tiny(folder: Path, template: str | None = TEMPLATE, layers: int = 3) -> Path:
    """Write a Llama of a few thousand parameters, with random weights, and a byte-level tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    fast = make_tokenizer(template)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=512,
        eos_token_id=fast.eos_token_id,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(str(folder))
    fast.save_pretrained(str(folder))
    return folder


def save_tiny_encoder(folder: Path, tokens: int = 64) -> Path:
    """Write a BERT of a few thousand parameters, with random weights, and a tokenizer of whole words and letters.

    tokens: its window.
    """
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    words = sorted({word for text in TEXT for word in text.lower().replace("(", " ").split()})
    letters = [chr(code) for code in range(33, 127)]
    entries = dict.fromkeys([*special, *words, *letters, *(f"##{letter}" for letter in letters)])
    tokenizer = Tokenizer(
        models.WordPiece({entry: number for number, entry in enumerate(entries)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), special, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(str(folder))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(entries),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=tokens,
    )
    BertModel(config).save_pretrained(str(folder))
    return folder


def make_render_manifest(base: FolderBase, sha256: str) -> RenderManifest:
    """Make the manifest of rows that were rendered for a tiny base."""
    return RenderManifest(
        base=base,
        name="tiny",
        sha256=sha256,
        license="MIT",
        call_format=CallFormat.PYTHON,
        tools=ToolForm.COMPACT,
        template_sha256="0" * 64,
        vocabulary=0,
    )
