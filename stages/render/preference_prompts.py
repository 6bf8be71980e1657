"""The prompts of preferences: that of a row as training has it, or one that the preference brings along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from exemplars.core.digests import hash_content
from exemplars.core.errors import summarize_names
from exemplars.core.ids import SplitName
from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar, Reason
from exemplars.dataset.catalog import build_tool_definition, parse_tool_definition
from exemplars.dataset.texts import make_equality_key
from exemplars.models.preference_rows import PreferencePair
from exemplars.models.prompt_style import ToolForm
from exemplars.models.rows import Message, TrainingRow, View
from exemplars.models.signatures import format_signature
from stages.render.params import RenderParams
from stages.render.training_rows import RenderedSplit


class PairPrompt(NamedTuple):
    """What the two sides of a preference answer."""

    messages: tuple[Message, ...]
    definitions: tuple[dict[str, Any], ...]
    """The OpenAI-style definitions of the tools in the prompt."""
    form: ToolForm
    group: str
    license: str
    answer: str | None = None
    """The right answer, if the prompt is that of a row."""
    prompt_ids: tuple[int, ...] | None = None
    """The tokens of the row's prompt in training."""
    row: TrainingRow | None = None

    @property
    def template_tools(self) -> tuple[dict[str, Any], ...]:
        """The definitions that the model's chat template shows; empty if the system message shows the tools."""
        return self.definitions if self.form == ToolForm.TEMPLATE else ()

    @property
    def tool_names(self) -> frozenset[str]:
        """The names of the tools in the prompt."""
        return frozenset(definition["function"]["name"] for definition in self.definitions)


class PromptFinder:
    """Finds the prompts of preferences."""

    def __init__(
        self,
        splits: Mapping[SplitName, Sequence[Exemplar]],
        rendered: Mapping[SplitName, RenderedSplit],
        params: RenderParams,
    ) -> None:
        """splits: the rows of all splits, by which held-out ones are known. rendered: the splits as chat rows."""
        self._params = params
        self._exemplars: dict[str, tuple[SplitName, Exemplar]] = {}
        self._held_out: dict[str, str] = {}
        for split in ("train", "validation", "test"):
            for row in splits[split]:
                # A digest that is also held out counts as held out.
                self._exemplars[row.digest] = (split, row)
                if split != "train":
                    self._held_out.setdefault(make_equality_key(row.utterance), row.id)
        self._rows = {
            row_id: row
            for split in rendered.values()
            for row in split.rows
            if row.view == View.CALL and not row.speech
            for row_id in row.exemplar_ids
        }
        self._rejections = {
            rejection.id: rejection for split in rendered.values() for rejection in split.rejections
        }

    def find_prompt(self, pair: PreferencePair) -> PairPrompt | Problem:
        """Find the prompt of a preference, or the reason why it must not be trained on, or cannot be."""
        if pair.prompt is not None:
            return self._find_held_out(pair.prompt) or self._arrange_prompt(pair, pair.prompt)
        found = self._exemplars.get(pair.row or "")
        if found is None:
            return Problem(
                Reason.UNKNOWN_ROW,
                summary=f"no row of the dataset has the digest {(pair.row or '')[:12]}: it changed, or was removed",
                fix="judge the row as it is now, or remove the line",
            )
        split, exemplar = found
        if split == "test":
            summary = f"{exemplar.id} is a row of test: it counts for ratings, and is never trained on"
            return Problem(Reason.HELD_OUT, summary=summary)
        row = self._rows.get(exemplar.id)
        return self._report_unrendered(exemplar) if row is None else self._reuse_prompt(row)

    def is_validation(self, pair: PreferencePair | None) -> bool:
        """Return whether a preference is about a row of validation."""
        split, _ = self._exemplars.get((pair and pair.row) or "", ("train", None))
        return split == "validation"

    def find_exemplar(self, pair: PreferencePair) -> Exemplar | None:
        """Find the row that a preference is about, in any split."""
        return self._exemplars[pair.row][1] if pair.row in self._exemplars else None

    def _report_unrendered(self, exemplar: Exemplar) -> Problem:
        rejection = self._rejections.get(exemplar.id)
        if rejection is None:
            return Problem(
                Reason.NOT_SUPERVISED,
                summary=f"{exemplar.id} has no prompt that asks for a call",
                fix="add call to render.views",
            )
        sentence = rejection.message.partition(": ")[2]
        return Problem(rejection.reason, summary=f"{exemplar.id} is not rendered: {sentence}")

    def _reuse_prompt(self, row: TrainingRow) -> PairPrompt:
        return PairPrompt(
            row.messages[:-1],
            tuple(msgspec.json.decode(row.tools)),
            self._params.tools,
            row.group,
            row.license,
            row.messages[-1].content,
            row.input_ids[: row.prompt_tokens],
            row,
        )

    def _find_held_out(self, prompt: Iterable[Message]) -> Problem | None:
        """Find that the last thing the user says in a prompt is the utterance of a row of validation or test."""
        said = [message.content for message in prompt if message.role == "user"][-1:]
        row_id = self._held_out.get(make_equality_key(said[0])) if said else None
        if row_id is None:
            return None
        return Problem(Reason.LEAKED, summary=f"{row_id}, which is held out, has the same utterance")

    def _arrange_prompt(self, pair: PreferencePair, prompt: Sequence[Message]) -> PairPrompt | Problem:
        """Arrange a prompt of its own as prompts of rows are: tools are shown as `render.tools` says."""
        try:
            skills = [parse_tool_definition(definition) for definition in pair.tools]
        except (KeyError, TypeError, AttributeError, ValueError):
            names = summarize_names(str(definition["function"]["name"]) for definition in pair.tools)
            summary = f"the definition of one of the tools {names} cannot be read"
            return Problem(Reason.MALFORMED_RECORD, summary=summary, fix="correct its parameters")
        start = next((n for n, message in enumerate(prompt) if message.role != "system"), 0)
        system = [message.content for message in prompt[:start]]
        if skills and not system and self._params.instruction:
            system = [self._params.instruction]
        if self._params.tools == ToolForm.COMPACT:
            system += [format_signature(skill) for skill in skills]
        messages = (*([Message("system", "\n".join(system))] if system else []), *prompt[start:])
        content = [(message.role, message.content) for message in prompt]
        return PairPrompt(
            messages,
            tuple(build_tool_definition(skill) for skill in skills),
            self._params.tools,
            f"preferences:{hash_content(msgspec.json.encode(content))[:16]}",
            pair.license or "",
        )


def list_prompt_texts(prompt: PairPrompt) -> Iterator[tuple[str, str]]:
    """Yield the texts of a prompt, each after the name of its place."""
    for message in prompt.messages:
        yield f"a message of the {message.role}", message.content
    for definition in prompt.definitions:
        name = definition["function"]["name"]
        yield f"the definition of the tool {name}", msgspec.json.encode(definition).decode()
