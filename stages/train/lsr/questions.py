"""The questions that a generator is asked with each of several examples, and its right answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from exemplars.core.digests import hash_to_fraction
from exemplars.core.records import Exemplar
from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.models.calls import format_calls
from exemplars.models.chat_templates import encode_text, render_prompt
from exemplars.models.prompt_style import PromptStyle, ToolForm
from exemplars.models.prompting import build_messages
from exemplars.models.rows import Message
from exemplars.models.targets import build_call, build_target_calls
from exemplars.models.turns import TurnRows, collect_turns
from stages.train.rows import IGNORED, TokenRow

_SALT = "lsr"


class ScoredQuestion(NamedTuple):
    """A turn that asks for a call, and the places of its candidates in the index, the most similar first."""

    turn: TurnRows
    candidates: tuple[int, ...]


class CandidateScore(msgspec.Struct, frozen=True):
    """How likely a generator finds the right call, given one example: a row of `lsr.parquet`."""

    digest: str
    """Of the first row of the turn."""
    candidate: str
    """The digest of the example."""
    rank: int
    """Of the example, from 1, by the retriever before training."""
    similarity: float
    log_likelihood: float
    """Of the right call, the mean of its tokens."""


def sample_turns(rows: Iterable[Exemplar], count: int) -> list[TurnRows]:
    """Sample turns that ask for a call, by stable hash: a smaller sample is part of a larger one."""
    turns = [turn for turn in collect_turns(rows) if turn.called_rows]
    order = sorted(turns, key=lambda turn: (hash_to_fraction(turn.content_key, _SALT), turn.id))
    return sorted(order[:count], key=lambda turn: turn.id)


class PromptWriter:
    """Writes prompts that have one example, with the right answer."""

    def __init__(self, tokenizer: Any, skills: Mapping[str, Skill], rows: Iterable[Exemplar]) -> None:
        """skills: the catalog, by name. rows: among which the examples are."""
        self.tokenizer = tokenizer
        self.skills = skills
        self.style = PromptStyle()
        self.turns = {row.digest: turn for turn in collect_turns(rows) for row in turn.rows}

    def write(self, turn: TurnRows, digests: Sequence[str]) -> Iterator[TokenRow]:
        """Write a prompt for each example, in the order given. All show the tools of all examples and of the turn.

        digests: of the examples. Raises `ChatTemplateError` if the template of the tokenizer refuses the messages.
        """
        examples = [self.turns[digest] for digest in digests]
        names = {skill for asked in (turn, *examples) for skill in asked.skills}
        tools = [self.skills[name] for name in sorted(names)]
        question = build_messages(self.style, tools, turn.question)
        for example in examples:
            shown = build_messages(self.style, tools, example.question)
            answer = Message("assistant", self.format_answer(example))
            yield self._encode([*shown, answer, *question[1:]], tools, self.format_answer(turn))

    def format_answer(self, turn: TurnRows) -> str:
        """Format the right calls of a turn."""
        targets = build_target_calls(turn, self.skills)
        calls = [build_call(target, self.skills[target.skill]) for target in targets]
        return format_calls(calls, self.style.call_format)

    def _encode(self, messages: Sequence[Message], tools: Sequence[Skill], answer: str) -> TokenRow:
        in_template = self.style.tools == ToolForm.TEMPLATE
        shown = [build_tool_definition(tool) for tool in tools] if in_template else []
        text = render_prompt(self.tokenizer, [msgspec.structs.asdict(message) for message in messages], shown)
        prompt = encode_text(self.tokenizer, text)
        answered = encode_text(self.tokenizer, answer)
        return TokenRow([*prompt, *answered], [IGNORED] * len(prompt) + answered, "")
