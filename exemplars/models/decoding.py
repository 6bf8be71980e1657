"""Greedy decoding of prompts in batches, free or constrained by a grammar."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from exemplars.models.calls import CallFormat, is_call_prefix
from exemplars.models.chat_templates import find_end_of_turn

Tokens = Sequence[int]


class Completion(NamedTuple):
    """What a system answers to a prompt."""

    text: str
    ended: bool
    """Whether it ended within the token limit: by itself, or because it could no longer become a call."""


def decode_prompts(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Tokens],
    grammars: Sequence[str] | None,
    form: CallFormat,
    max_new_tokens: int,
    batch_rows: int,
    title: str,
    *,
    is_prose: bool = False,
) -> list[Completion]:
    """Decode completions of prompts, in the order given.

    grammars: one for each prompt, in xgrammar's EBNF. With `None` decoding is free, and a completion is cut
    where it can no longer become a call: the prose of a base model would take most of the time. title: of the
    progress bar; empty: none is shown. is_prose: whether prose is wanted, so that nothing is cut. Prompts of about the
    same length are decoded together, padded on the left.
    """
    order = sorted(range(len(prompts)), key=lambda place: (len(prompts[place]), place))
    batches = [order[start : start + batch_rows] for start in range(0, len(order), batch_rows)]
    compile_grammar = _make_grammar_compiler(model, tokenizer) if grammars is not None else None
    completions: dict[int, Completion] = {}
    for batch in _show_progress(batches, title):
        compiled = None
        if compile_grammar is not None and grammars is not None:
            compiled = [compile_grammar(grammars[place]) for place in batch]
        batch_prompts = [prompts[place] for place in batch]
        decoded = _decode_batch(model, tokenizer, batch_prompts, compiled, form, max_new_tokens, is_prose)
        completions.update(zip(batch, decoded, strict=True))
    return [completions[place] for place in range(len(prompts))]


def match_grammars(
    model: Any, tokenizer: Any, completions: Sequence[Completion], grammars: Sequence[str]
) -> list[bool]:
    """Return which completions ended and match their grammars.

    Constrained by its grammar, greedy decoding produces the same completion: the best token was never forbidden.
    """
    import xgrammar

    compile_grammar = _make_grammar_compiler(model, tokenizer)
    matches = []
    for completion, grammar in zip(completions, grammars, strict=True):
        matcher = xgrammar.GrammarMatcher(compile_grammar(grammar), terminate_without_stop_token=True)
        matches.append(completion.ended and matcher.accept_string(completion.text) and matcher.is_completed())
    return matches


def _decode_batch(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Tokens],
    grammars: list[Any] | None,
    form: CallFormat,
    max_new_tokens: int,
    is_prose: bool,
) -> list[Completion]:
    import torch
    from transformers import StoppingCriteriaList

    end = find_end_of_turn(tokenizer)
    longest = max(map(len, prompts))
    ids = torch.tensor([[end] * (longest - len(prompt)) + list(prompt) for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    criteria = [] if is_prose else [_make_prose_criterion(tokenizer, longest, end, form)]
    with torch.inference_mode():
        output = model.generate(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            max_new_tokens=max_new_tokens,
            do_sample=False,
            eos_token_id=end,
            pad_token_id=end,
            logits_processor=_make_logits_processors(grammars),
            stopping_criteria=StoppingCriteriaList(criteria),
        )
    completions = []
    for tokens in output[:, longest:].tolist():
        text = _decode_text(tokenizer, tokens, end)
        ended = end in tokens or not (is_prose or is_call_prefix(text, form))
        completions.append(Completion(text, ended))
    return completions


def _make_prose_criterion(tokenizer: Any, prompt_tokens: int, end: int, form: CallFormat) -> Any:
    """Make a criterion that stops the rows of a batch that can no longer become a call."""
    import torch

    def stop(ids: Any, _scores: Any, **_: Any) -> Any:
        texts = (_decode_text(tokenizer, tokens, end) for tokens in ids[:, prompt_tokens:].tolist())
        return torch.tensor([not is_call_prefix(text, form) for text in texts], device=ids.device)

    return stop


def _decode_text(tokenizer: Any, tokens: list[int], end: int) -> str:
    """Decode tokens up to the first end token."""
    answer = tokens[: tokens.index(end)] if end in tokens else tokens
    return str(tokenizer.decode(answer, skip_special_tokens=False))


def _make_logits_processors(grammars: list[Any] | None) -> list[Any]:
    if grammars is None:
        return []
    from xgrammar.contrib.hf import LogitsProcessor

    return [LogitsProcessor(grammars)]


def _make_grammar_compiler(model: Any, tokenizer: Any) -> Callable[[str], Any]:
    import xgrammar

    compiler = _load_compiler(tokenizer, model.config.vocab_size, find_end_of_turn(tokenizer))
    return lambda grammar: compiler.compile_grammar(xgrammar.Grammar.from_ebnf(grammar))


@functools.lru_cache(maxsize=2)
def _load_compiler(tokenizer: Any, vocabulary: int, end: int) -> Any:
    """Load a compiler of grammars for a tokenizer; reading all its tokens takes a while."""
    import xgrammar

    info = xgrammar.TokenizerInfo.from_huggingface(tokenizer, vocab_size=vocabulary, stop_token_ids=end)
    return xgrammar.GrammarCompiler(info)


def _show_progress(batches: list[list[int]], title: str) -> Any:
    """Show a progress bar while the batches are iterated, if there is a terminal."""
    if not title or not sys.stderr.isatty():
        return batches
    from tqdm import tqdm

    return tqdm(batches, desc=title, leave=False, ncols=79)
