"""What each system says to the test rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.models.calls import CallFormat
from exemplars.models.chat_templates import ChatTemplateError, encode_text, render_prompt
from stages.evaluate.decoding import Decoded, admitted, decoded
from stages.evaluate.grammar import call_grammar
from stages.evaluate.knn import call_of_nearest, with_examples
from stages.evaluate.params import EvaluateParams, System

Row = Mapping[str, Any]
Loader = Callable[[], tuple[Any, Any]]
"""A model and its tokenizer, ready to predict."""
_BASE: Final = (System.BASE, System.BASE_CONSTRAINED, System.RETRIEVED, System.RETRIEVED_CONSTRAINED)
_CONSTRAINED: Final = (System.BASE_CONSTRAINED, System.RETRIEVED_CONSTRAINED, System.TUNED_CONSTRAINED)
_FREE: Final = {
    System.BASE_CONSTRAINED: System.BASE,
    System.RETRIEVED_CONSTRAINED: System.RETRIEVED,
    System.TUNED_CONSTRAINED: System.TUNED,
}
"""The system that a constrained one is without its grammar."""
_RETRIEVED: Final = (System.RETRIEVED, System.RETRIEVED_CONSTRAINED)


class Question(NamedTuple):
    """The rows that are asked, and what helps to answer."""

    rows: Sequence[Row]
    tools: Sequence[Sequence[Skill]]
    """What the prompt of each row shows."""
    skills: Mapping[str, Skill]
    near: Sequence[Sequence[Row]]
    """The nearest train rows of each row, the nearest first."""
    form: CallFormat
    template_tools: bool
    """Whether the tools stand in the model's own template."""


def answers_of(
    question: Question, base: Loader, tuned: Loader, params: EvaluateParams
) -> dict[System, list[Decoded]]:
    """The answers of all systems that are compared; a model is loaded once, and dropped after use."""
    answers: dict[System, list[Decoded]] = {}
    for group, load in ((_BASE, base), ((System.TUNED, System.TUNED_CONSTRAINED), tuned)):
        wanted = [one for one in params.compare if one in group]
        if wanted:
            model, tokenizer = load()
            for one in sorted(wanted, key=lambda system: system in _CONSTRAINED):
                free = answers.get(_FREE[one]) if one in _FREE else None
                answers[one] = _answers(one, question, model, tokenizer, params, free)
            del model
    if System.NEAREST in params.compare:
        answers[System.NEAREST] = [
            Decoded(call_of_nearest(row["utterance"], near[0], question.skills, question.form), True)
            for row, near in zip(question.rows, question.near, strict=True)
        ]
    return {one: answers[one] for one in params.compare}


def _answers(
    system: System,
    question: Question,
    model: Any,
    tokenizer: Any,
    params: EvaluateParams,
    free: Sequence[Decoded] | None,
) -> list[Decoded]:
    """The answers of a system. free: those of the same system without its grammar, where it was asked."""
    if system in _RETRIEVED:
        longest = getattr(model.config, "max_position_embeddings", None)
        most = None if longest is None else longest - params.max_new_tokens
        prompts = [
            retrieved_prompt(
                tokenizer,
                row,
                near[: params.retrieved_examples],
                tools if question.template_tools else (),
                most,
            )
            for row, near, tools in zip(question.rows, question.near, question.tools, strict=True)
        ]
    else:
        prompts = [row["input_ids"][: row["prompt_tokens"]] for row in question.rows]
    grammars = None
    if system in _CONSTRAINED:
        grammars = [call_grammar(tools, question.form) for tools in question.tools]
    known: dict[int, Decoded] = {}
    if grammars is not None and free is not None:
        right = admitted(model, tokenizer, free, grammars)
        known = {place: said for place, said in enumerate(free) if right[place]}
    left = [place for place in range(len(prompts)) if place not in known]
    said = decoded(
        model,
        tokenizer,
        [prompts[place] for place in left],
        None if grammars is None else [grammars[place] for place in left],
        question.form,
        params.max_new_tokens,
        params.batch_rows,
        f"evaluate: {system}",
    )
    known.update(zip(left, said, strict=True))
    return [known[place] for place in range(len(prompts))]


def retrieved_prompt(
    tokenizer: Any, row: Row, near: Sequence[Row], tools: Sequence[Skill], most: int | None
) -> list[int]:
    """The tokens of a row's prompt with the examples of its nearest train rows in front.

    With the nearest of them alone, where all are more tokens than `most` or the template refuses their turns.
    """
    definitions = [build_tool_definition(one) for one in tools]
    for count in range(len(near), 0, -1):
        messages = with_examples(row["messages"][:-1], [one["messages"] for one in near[:count]])
        try:
            tokens = encode_text(tokenizer, render_prompt(tokenizer, messages, definitions))
        except ChatTemplateError:
            continue
        if most is None or len(tokens) <= most:
            return tokens
    return list(row["input_ids"][: row["prompt_tokens"]])
