"""Greedy decoding of prompts in batches, free or held to a grammar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from exemplars.models.calls import CallFormat, is_call_prefix
from exemplars.models.chat_templates import find_end_of_turn


class Decoded(NamedTuple):
    """What a model says to a prompt."""

    text: str
    ended: bool
    """Whether it came to an end within the tokens admitted: by itself, or as what can be no call any more."""


Progress = Callable[[str, int], Any]


def decoded(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    grammars: Sequence[str] | None,
    form: CallFormat,
    max_new_tokens: int,
    batch_rows: int,
    title: str,
) -> list[Decoded]:
    """The answers to prompts, in their order.

    grammars: one a prompt, in xgrammar's EBNF; null: the model is free, and an answer is cut where it can
    be no call of the form any more: a base model's prose would take most of the time. title: of the bar.
    Prompts of about one length are decoded together, padded on the left.
    """
    order = sorted(range(len(prompts)), key=lambda place: (len(prompts[place]), place))
    batches = [order[start : start + batch_rows] for start in range(0, len(order), batch_rows)]
    compiled = _compiler(model, tokenizer) if grammars is not None else None
    answers: dict[int, Decoded] = {}
    for batch in _shown(batches, title):
        held = [compiled(grammars[place]) for place in batch] if compiled and grammars is not None else None
        asked = [prompts[place] for place in batch]
        texts = _batch(model, tokenizer, asked, held, form, max_new_tokens)
        answers.update(zip(batch, texts, strict=True))
    return [answers[place] for place in range(len(prompts))]


def admitted(model: Any, tokenizer: Any, said: Sequence[Decoded], grammars: Sequence[str]) -> list[bool]:
    """Which answers were ended by the model and are texts of their grammars.

    Held to its grammar, greedy decoding gives these again: at no step was the best token forbidden.
    """
    import xgrammar

    compiled = _compiler(model, tokenizer)
    found = []
    for one, grammar in zip(said, grammars, strict=True):
        matcher = xgrammar.GrammarMatcher(compiled(grammar), terminate_without_stop_token=True)
        found.append(one.ended and matcher.accept_string(one.text) and matcher.is_completed())
    return found


def _batch(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    grammars: list[Any] | None,
    form: CallFormat,
    limit: int,
) -> list[Decoded]:
    import torch
    from transformers import StoppingCriteriaList

    end = find_end_of_turn(tokenizer)
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
            stopping_criteria=StoppingCriteriaList([_hopeless(tokenizer, longest, end, form)]),
        )
    answers = []
    for tokens in output[:, longest:].tolist():
        text = _text(tokenizer, tokens, end)
        answers.append(Decoded(text, end in tokens or not is_call_prefix(text, form)))
    return answers


def _hopeless(tokenizer: Any, prompt_tokens: int, end: int, form: CallFormat) -> Any:
    """Tells which rows of a batch can be no call any more."""
    import torch

    def stop(ids: Any, _scores: Any, **_: Any) -> Any:
        texts = (_text(tokenizer, tokens, end) for tokens in ids[:, prompt_tokens:].tolist())
        return torch.tensor([not is_call_prefix(one, form) for one in texts], device=ids.device)

    return stop


def _text(tokenizer: Any, tokens: list[int], end: int) -> str:
    said = tokens[: tokens.index(end)] if end in tokens else tokens
    return str(tokenizer.decode(said, skip_special_tokens=False))


def _processors(grammars: list[Any] | None) -> list[Any]:
    if grammars is None:
        return []
    from xgrammar.contrib.hf import LogitsProcessor

    return [LogitsProcessor(grammars)]


def _compiler(model: Any, tokenizer: Any) -> Callable[[str], Any]:
    import xgrammar

    info = xgrammar.TokenizerInfo.from_huggingface(
        tokenizer, vocab_size=model.config.vocab_size, stop_token_ids=find_end_of_turn(tokenizer)
    )
    compiler = xgrammar.GrammarCompiler(info)
    return lambda grammar: compiler.compile_grammar(xgrammar.Grammar.from_ebnf(grammar))


def _shown(batches: list[list[int]], title: str) -> Any:
    if not sys.stderr.isatty():
        return batches
    from tqdm import tqdm

    return tqdm(batches, desc=title, leave=False, ncols=79)
