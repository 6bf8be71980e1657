"""A language model as a GGUF file, with a grammar of the catalog and a Modelfile, for llama.cpp and Ollama.

Names of tensors and the order of rotary weights are those of llama.cpp's `convert_hf_to_gguf.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from exemplars.core.errors import Diagnostic, UserError
from exemplars.dataset.catalog import Skill
from exemplars.models.chat_templates import apply_template, find_chat_template, find_end_of_turn
from exemplars.models.grammar import build_call_grammar
from exemplars.models.prompt_style import PromptStyle, ToolForm
from exemplars.models.prompting import build_messages
from exemplars.models.questions import Question

PRECISIONS: Final = ("f16", "f32")
_PARTS: Final = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
_WHOLE: Final = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
_LAYER: Final = re.compile(r"model\.layers\.(\d+)\.(.+)\.weight")
_PRE_TOKENIZERS: Final = {("ByteLevel",): "gpt-2", ("Digits", "ByteLevel"): "smollm"}
"""How llama.cpp calls what splits a text before merges, by the steps of the tokenizer."""
_MARKS: Final = ("\ue000", "\ue001", "\ue002")
"""Contents that no template has: of the system, the user and the assistant."""


def write_gguf(path: Path, model: Any, tokenizer: Any, name: str, precision: str) -> None:
    """Write a model with its tokenizer and chat template as a GGUF file. precision: of the matrices, `f16` or `f32`.

    Raises `UserError` if the model is not of the Llama architecture, or if llama.cpp does not know its tokenizer.
    """
    import gguf

    check_architecture(model, tokenizer)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(name)
    half, full = gguf.LlamaFileType.MOSTLY_F16, gguf.LlamaFileType.ALL_F32
    writer.add_file_type(half if precision == "f16" else full)
    _add_config(writer, model.config)
    _add_tokenizer(writer, tokenizer)
    for tensor, values in _list_tensors(model):
        # Vectors stay in full precision, as llama.cpp wants them.
        is_half = precision == "f16" and values.ndim > 1
        writer.add_tensor(tensor, values.astype("float16" if is_half else "float32"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def check_architecture(model: Any, tokenizer: Any) -> None:
    """Raise `UserError` unless a model is a Llama with a byte-level tokenizer that llama.cpp knows."""
    config = model.config
    found = None
    if (
        config.model_type != "llama"
        or getattr(config, "attention_bias", False)
        or getattr(config, "mlp_bias", False)
    ):
        found = f"a model of the architecture {config.model_type}"
    elif (scaling := (config.rope_parameters or {}).get("rope_type", "default")) != "default":
        found = f"rotary positions of the type {scaling}"
    elif _name_pre_tokenizer(tokenizer) is None:
        found = "a tokenizer that is not byte-level BPE"
    if found is not None:
        problem = Diagnostic(
            path=config.name_or_path or config.model_type,
            code="not_gguf",
            found=found,
            expected="a Llama, such as SmolLM2, with a byte-level BPE",
            fix="leave out --format gguf, and convert the merged folder by llama.cpp's convert_hf_to_gguf.py",
        )
        raise UserError([problem])


def _add_config(writer: Any, config: Any) -> None:
    width = config.head_dim or config.hidden_size // config.num_attention_heads
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_rope_dimension_count(width)
    writer.add_rope_freq_base(float(config.rope_parameters["rope_theta"]))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)


def _name_pre_tokenizer(tokenizer: Any) -> str | None:
    """Name what splits a text, as llama.cpp does; `None` if it does not know it, or if the tokenizer is no BPE."""
    document = json.loads(tokenizer.backend_tokenizer.to_str())
    if document["model"]["type"] != "BPE" or document["normalizer"] is not None:
        return None
    step = document["pre_tokenizer"] or {"type": ""}
    steps = step["pretokenizers"] if step["type"] == "Sequence" else [step]
    return _PRE_TOKENIZERS.get(tuple(step["type"] for step in steps))


def _add_tokenizer(writer: Any, tokenizer: Any) -> None:
    import gguf

    document = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    added = {number: token.content for number, token in tokenizer.added_tokens_decoder.items()}
    tokens = {number: text for text, number in document["vocab"].items()} | added
    special = {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    special.update(tokenizer.all_special_ids)
    numbers = range(max(tokens) + 1)
    kinds = gguf.TokenType
    types = dict.fromkeys(numbers, kinds.UNUSED) | dict.fromkeys(tokens, kinds.NORMAL)
    types |= dict.fromkeys(added, kinds.USER_DEFINED) | dict.fromkeys(special, kinds.CONTROL)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_name_pre_tokenizer(tokenizer))
    writer.add_token_list([tokens.get(number, f"[UNUSED{number}]") for number in numbers])
    writer.add_token_types([types[number] for number in numbers])
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in document["merges"]]
    writer.add_token_merges(merges)
    end = find_end_of_turn(tokenizer)
    writer.add_bos_token_id(end if tokenizer.bos_token_id is None else tokenizer.bos_token_id)
    writer.add_eos_token_id(end)
    writer.add_pad_token_id(end if tokenizer.pad_token_id is None else tokenizer.pad_token_id)
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(find_chat_template(tokenizer))


def _list_tensors(model: Any) -> Iterator[tuple[str, Any]]:
    """Yield the tensors by the names of GGUF. Output weights that are those of the input are left out."""
    config = model.config
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        values = weight.detach().float().cpu().numpy()
        if name in _WHOLE:
            yield _WHOLE[name], values
        elif match := _LAYER.fullmatch(name):
            part = _PARTS[match[2]]
            if part in heads:
                values = _interleave(values, heads[part])
            yield f"blk.{match[1]}.{part}.weight", values


def _interleave(values: Any, heads: int) -> Any:
    """Put the two halves of each head's rows next to each other: llama.cpp rotates neighbors, transformers halves."""
    return (
        values.reshape(heads, 2, values.shape[0] // heads // 2, values.shape[1])
        .swapaxes(1, 2)
        .reshape(values.shape)
    )


def build_gbnf(skills: Sequence[Skill], style: PromptStyle) -> str:
    """Build the grammar of all calls of a catalog, in llama.cpp's GBNF, which is a part of xgrammar's EBNF."""
    return build_call_grammar(skills, style.call_format)


def build_modelfile(
    file: str, tokenizer: Any, skills: Sequence[Skill], style: PromptStyle, window: int
) -> str:
    """Build Ollama's Modelfile: how turns are written, the system message of training, and greedy decoding.

    file: the name of the GGUF file. window: the number of tokens that the model reads. Raises `UserError` if the chat
    template does more than write a text before and after each message.
    """
    before, end, start = _split_template(tokenizer)
    roles = "".join(
        f'{{{{ if eq .Role "{role}" }}}}{before[role]}{{{{ .Content }}}}{end}{{{{ end }}}}'
        for role in ("system", "user", "assistant")
    )
    compact = PromptStyle(style.call_format, ToolForm.COMPACT, style.instruction, style.context_turns)
    (first, *_) = build_messages(compact, skills, Question(""))
    stop = tokenizer.decode([find_end_of_turn(tokenizer)])
    return (
        f"FROM ./{file}\n"
        f'TEMPLATE """{{{{ range .Messages }}}}{roles}{{{{ end }}}}{start}"""\n'
        f'SYSTEM """{first.content}"""\n'
        f'PARAMETER stop "{stop}"\n'
        "PARAMETER temperature 0\n"
        f"PARAMETER num_ctx {window}\n"
    )


def _split_template(tokenizer: Any) -> tuple[Mapping[str, str], str, str]:
    """Split what a chat template writes: before a message of each role, after a message, and before an answer.

    Raises `UserError` if it writes anything else.
    """
    system, user, assistant = (
        {"role": role, "content": mark}
        for role, mark in zip(("system", "user", "assistant"), _MARKS, strict=True)
    )
    chat = [system, user, assistant, user]
    parts = re.split("|".join(_MARKS), apply_template(tokenizer, chat, None))
    end = parts[-1]
    before = {
        "system": parts[0],
        "user": parts[1].removeprefix(end),
        "assistant": parts[2].removeprefix(end),
    }
    prompt = apply_template(tokenizer, chat, None, add_generation_prompt=True)
    start = prompt[prompt.rindex(_MARKS[1]) + 1 :].removeprefix(end)
    if "".join(f"{before[turn['role']]}{turn['content']}{end}" for turn in chat) + start != prompt:
        problem = Diagnostic(
            path="chat template",
            code="not_gguf",
            found="a template that writes more than a text before and after each message",
            expected="one that Ollama's templates can say",
            fix="write the Modelfile by hand",
        )
        raise UserError([problem])
    return before, end, start
