"""The answers of a language model: each prompt is decoded once, whatever asks it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.models.chat_templates import ChatTemplateError, encode_text, render_prompt
from exemplars.models.copying import list_shown_texts
from exemplars.models.decoding import Completion, Tokens, decode_prompts, match_grammars
from exemplars.models.grammar import Copying, build_call_grammar
from exemplars.models.prompt_style import ToolForm
from exemplars.models.rows import TrainingRow, list_tool_names
from stages.evaluate.knn import insert_examples
from stages.evaluate.params import EvaluateParams
from stages.evaluate.replies import Replies, Reply
from stages.evaluate.system_names import System
from stages.evaluate.task import Task


class _Request(NamedTuple):
    """What is decoded: a prompt, and the grammar of its answer."""

    prompt: tuple[int, ...]
    grammar: str | None = None


class Decoder:
    """Decodes requests with a model, each once."""

    def __init__(self, model: Any, tokenizer: Any, params: EvaluateParams) -> None:
        """model, tokenizer: ready to predict."""
        self.model = model
        self.tokenizer = tokenizer
        self._params = params
        self._known: dict[_Request, Completion] = {}

    def decode(self, requests: Sequence[_Request], task: Task, title: str) -> list[Completion]:
        """Decode requests that all have a grammar, or none of them, in the order given."""
        open_requests = [request for request in dict.fromkeys(requests) if request not in self._known]
        self._accept_free(open_requests)
        open_requests = [request for request in open_requests if request not in self._known]
        grammars = [request.grammar for request in open_requests if request.grammar is not None]
        completions = decode_prompts(
            self.model,
            self.tokenizer,
            [request.prompt for request in open_requests],
            grammars or None,
            task.style.call_format,
            self._params.max_new_tokens,
            self._params.batch_rows,
            title,
        )
        self._known.update(zip(open_requests, completions, strict=True))
        return [self._known[request] for request in requests]

    def _accept_free(self, requests: Iterable[_Request]) -> None:
        """Accept the free answers to prompts where they match the grammar of a request."""
        free = {
            request: self._known[_Request(request.prompt)]
            for request in requests
            if request.grammar is not None and _Request(request.prompt) in self._known
        }
        grammars = [request.grammar for request in free if request.grammar is not None]
        matches = match_grammars(self.model, self.tokenizer, list(free.values()), grammars) if free else []
        self._known.update(
            (request, completion)
            for (request, completion), is_match in zip(free.items(), matches, strict=True)
            if is_match
        )


def answer_by_model(
    systems: Iterable[System],
    tasks: Mapping[str, Task],
    model: Any,
    tokenizer: Any,
    params: EvaluateParams,
) -> Replies:
    """Answer all rows by the systems of one model, those without a grammar first."""
    decoder = Decoder(model, tokenizer, params)
    replies: dict[str, dict[str, list[Reply]]] = {name: {} for name in tasks}
    for system in sorted(systems, key=lambda system: system.is_constrained):
        requests = {
            condition: _list_requests(system, task, decoder, params) for condition, task in tasks.items()
        }
        asked = [request for by_row in requests.values() for request in by_row.values()]
        task = next(iter(tasks.values()))
        completions = dict(zip(asked, decoder.decode(asked, task, f"evaluate: {system.name}"), strict=True))
        for condition, by_row in requests.items():
            replies[condition][system.name] = [
                Reply(*completions[by_row[place]]) if place in by_row else Reply("", ended=False)
                for place in range(len(tasks[condition].rows))
            ]
    return replies


def _list_requests(
    system: System, task: Task, decoder: Decoder, params: EvaluateParams
) -> dict[int, _Request]:
    """List what a system is asked, by the place of the row; rows without tokens are left out."""
    limit = limit_prompt(decoder.model, params)
    requests = {}
    for place, row in enumerate(task.rows):
        if not row.input_ids:
            continue
        tools = [task.skills[name] for name in list_tool_names(row)]
        prompt: Tokens = row.input_ids[: row.prompt_tokens]
        if system.has_examples:
            shown = tools if task.style.tools == ToolForm.TEMPLATE else ()
            examples = task.neighbors[place][: params.retrieved_examples]
            prompt = build_retrieval_prompt(decoder.tokenizer, row, examples, shown, limit)
        grammar = _build_grammar(task, row, tools) if system.is_constrained else None
        requests[place] = _Request(tuple(prompt), grammar)
    return requests


def _build_grammar(task: Task, row: TrainingRow, tools: Sequence[Skill]) -> str:
    """Build the grammar of the answers to a row. tools: those that its prompt shows."""
    copying = None
    if task.copy_rules is not None:
        copying = Copying(task.copy_rules, list_shown_texts(row.messages[:-1]))
    return build_call_grammar(tools, task.style.call_format, copying=copying)


def limit_prompt(model: Any, params: EvaluateParams) -> int | None:
    """Return the maximum number of tokens of a prompt; `None` if the model does not say."""
    context = getattr(model.config, "max_position_embeddings", None)
    return None if context is None else int(context) - params.max_new_tokens


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
