"""Greedy decoding of prompts in batches, free or held to a grammar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class Decoded(NamedTuple):
    """What a model says to a prompt."""

    text: str
    ended: bool
    """Whether it ended its turn by itself, within the tokens admitted."""


Progress = Callable[[str, int], Any]


def decoded(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    grammars: Sequence[str] | None,
    max_new_tokens: int,
    batch_rows: int,
    title: str,
) -> list[Decoded]:
    """The answers to prompts, in their order.

    grammars: one a prompt, in xgrammar's EBNF; null: the model is free. title: of the progress bar.
    Prompts of about one length are decoded together, padded on the left.
    """
    order = sorted(range(len(prompts)), key=lambda place: (len(prompts[place]), place))
    batches = [order[start : start + batch_rows] for start in range(0, len(order), batch_rows)]
    compiled = _compiler(model, tokenizer) if grammars is not None else None
    answers: dict[int, Decoded] = {}
    for batch in _shown(batches, title):
        held = [compiled(grammars[place]) for place in batch] if compiled and grammars is not None else None
        texts = _batch(model, tokenizer, [prompts[place] for place in batch], held, max_new_tokens)
        answers.update(zip(batch, texts, strict=True))
    return [answers[place] for place in range(len(prompts))]


def _batch(
    model: Any, tokenizer: Any, prompts: Sequence[Sequence[int]], grammars: list[Any] | None, limit: int
) -> list[Decoded]:
    import torch

    end = int(tokenizer.eos_token_id)
    longest = max(map(len, prompts))
    ids = torch.tensor([[end] * (longest - len(one)) + list(one) for one in prompts])
    mask = torch.tensor([[0] * (longest - len(one)) + [1] * len(one) for one in prompts])
    with torch.inference_mode():
        output = model.generate(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            max_new_tokens=limit,
            do_sample=False,
            eos_token_id=end,
            pad_token_id=end,
            logits_processor=_processors(grammars),
        )
    answers = []
    for tokens in output[:, longest:].tolist():
        ended = end in tokens
        said = tokens[: tokens.index(end)] if ended else tokens
        answers.append(Decoded(tokenizer.decode(said, skip_special_tokens=False), ended))
    return answers


def _processors(grammars: list[Any] | None) -> list[Any]:
    if grammars is None:
        return []
    from xgrammar.contrib.hf import LogitsProcessor

    return [LogitsProcessor(grammars)]


def _compiler(model: Any, tokenizer: Any) -> Callable[[str], Any]:
    import xgrammar

    info = xgrammar.TokenizerInfo.from_huggingface(tokenizer, vocab_size=model.config.vocab_size)
    compiler = xgrammar.GrammarCompiler(info)
    return lambda grammar: compiler.compile_grammar(xgrammar.Grammar.from_ebnf(grammar))


def _shown(batches: list[list[int]], title: str) -> Any:
    if not sys.stderr.isatty():
        return batches
    from tqdm import tqdm

    return tqdm(batches, desc=title, leave=False, ncols=79)
