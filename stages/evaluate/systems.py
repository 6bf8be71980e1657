"""The systems that are compared, and their answers to the test rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.models.chat_templates import ChatTemplateError, encode_text, render_prompt
from exemplars.models.decoding import Completion, Tokens, decode_prompts, match_grammars
from exemplars.models.grammar import build_call_grammar
from exemplars.models.rows import TrainingRow
from stages.evaluate.knn import insert_examples, predict_from_neighbor
from stages.evaluate.loaders import Loader
from stages.evaluate.params import EvaluateParams, System
from stages.evaluate.question import Question

_BASE: Final = (System.BASE, System.BASE_CONSTRAINED, System.RETRIEVED, System.RETRIEVED_CONSTRAINED)
_TUNED: Final = (System.TUNED, System.TUNED_CONSTRAINED)
_FREE: Final = {
    System.BASE_CONSTRAINED: System.BASE,
    System.RETRIEVED_CONSTRAINED: System.RETRIEVED,
    System.TUNED_CONSTRAINED: System.TUNED,
}
"""The system that a constrained one is without its grammar."""
_RETRIEVED: Final = (System.RETRIEVED, System.RETRIEVED_CONSTRAINED)


def collect_answers(
    question: Question, load_base: Loader, load_tuned: Loader, params: EvaluateParams
) -> dict[System, list[Completion]]:
    """Collect the answers of all systems that are compared; a model is loaded once, and dropped after use."""
    answers: dict[System, list[Completion]] = {}
    for group, load in ((_BASE, load_base), (_TUNED, load_tuned)):
        systems = [system for system in params.compare if system in group]
        if systems:
            model, tokenizer = load()
            for system in sorted(systems, key=lambda system: system in _FREE):
                free = answers.get(_FREE[system]) if system in _FREE else None
                answers[system] = _answer_by_model(system, question, model, tokenizer, params, free)
            del model
    if System.KNN in params.compare:
        answers[System.KNN] = [
            Completion(predict_from_neighbor(row.utterance, nearest[0], question.skills, question.form), True)
            for row, nearest in zip(question.rows, question.neighbors, strict=True)
        ]
    return {system: answers[system] for system in params.compare}


def _answer_by_model(
    system: System,
    question: Question,
    model: Any,
    tokenizer: Any,
    params: EvaluateParams,
    free: Sequence[Completion] | None,
) -> list[Completion]:
    """Answer all rows by a system.

    free: the answers of the same system without its grammar, if it was asked. Those that match the grammar
    are not decoded again.
    """
    prompts = _build_prompts(system, question, model, tokenizer, params)
    grammars = None
    known: dict[int, Completion] = {}
    if system in _FREE:
        grammars = [build_call_grammar(tools, question.form) for tools in question.tools]
        if free is not None:
            matches = match_grammars(model, tokenizer, free, grammars)
            known = {place: completion for place, completion in enumerate(free) if matches[place]}
    open_places = [place for place in range(len(prompts)) if place not in known]
    completions = decode_prompts(
        model,
        tokenizer,
        [prompts[place] for place in open_places],
        None if grammars is None else [grammars[place] for place in open_places],
        question.form,
        params.max_new_tokens,
        params.batch_rows,
        f"evaluate: {system}",
    )
    known.update(zip(open_places, completions, strict=True))
    return [known[place] for place in range(len(prompts))]


def _build_prompts(
    system: System, question: Question, model: Any, tokenizer: Any, params: EvaluateParams
) -> list[Tokens]:
    """Build the tokens of each row's prompt, with examples if the system retrieves them."""
    if system not in _RETRIEVED:
        return [row.input_ids[: row.prompt_tokens] for row in question.rows]
    context = getattr(model.config, "max_position_embeddings", None)
    limit = None if context is None else context - params.max_new_tokens
    return [
        build_retrieval_prompt(
            tokenizer,
            row,
            nearest[: params.retrieved_examples],
            tools if question.template_tools else (),
            limit,
        )
        for row, nearest, tools in zip(question.rows, question.neighbors, question.tools, strict=True)
    ]


def build_retrieval_prompt(
    tokenizer: Any,
    row: TrainingRow,
    neighbors: Sequence[TrainingRow],
    tools: Sequence[Skill],
    limit: int | None,
) -> Tokens:
    """Build the tokens of a row's prompt with its nearest train rows as examples.

    tools: those that the chat template shows. Examples are dropped, the farthest first, until the prompt has
    at most `limit` tokens and the template accepts the turns.
    """
    definitions = [build_tool_definition(tool) for tool in tools]
    for count in range(len(neighbors), 0, -1):
        examples = [neighbor.messages for neighbor in neighbors[:count]]
        messages = insert_examples(row.messages[:-1], examples)
        try:
            text = render_prompt(tokenizer, [msgspec.structs.asdict(turn) for turn in messages], definitions)
        except ChatTemplateError:
            continue
        tokens = encode_text(tokenizer, text)
        if limit is None or len(tokens) <= limit:
            return tokens
    return row.input_ids[: row.prompt_tokens]
