"""Systems that answer a question about the whole catalog, or about given tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import msgspec

from exemplars.answering.answers import Answer, AnsweredCall, make_answered_call
from exemplars.core.errors import Diagnostic, UserError, summarize_names
from exemplars.dataset.catalog import Skill, build_tool_definition
from exemplars.dataset.recognizers import Recognizer
from exemplars.models.call_values import ground_call
from exemplars.models.calls import MalformedCall, parse_calls
from exemplars.models.candidates import CandidateFinder, add_candidates
from exemplars.models.chat_templates import ChatTemplateError, encode_text, find_control_text, render_prompt
from exemplars.models.copying import CopyRules, list_shown_texts
from exemplars.models.decoding import Completion, decode_prompts
from exemplars.models.grammar import Copying, build_call_grammar
from exemplars.models.prompt_style import PromptStyle, ToolForm
from exemplars.models.prompting import arrange_messages, build_messages, encode_prompt
from exemplars.models.questions import Question
from exemplars.models.signatures import format_signature
from exemplars.models.tagger.calibration import HAND_OVER

if TYPE_CHECKING:  # Its module imports torch, which takes a second.
    from exemplars.models.tagger.predictor import Tagger

MAX_NEW_TOKENS: Final = 128
"""The tokens of an answer, at most."""
TOO_LONG: Final = "too_long"
"""The code of the diagnostic of a prompt that does not fit the model."""


class Task(NamedTuple):
    """A question, and what may answer it."""

    question: Question
    tools: Sequence[Skill] | None = None
    """Those that may be called; none of them: a reply is wanted; `None`: the whole catalog."""
    must_call: bool = False
    """Whether "no call" is no answer."""
    max_tokens: int = MAX_NEW_TOKENS
    """Of the answer of a language model."""


class System(Protocol):
    """What answers a question."""

    @property
    def name(self) -> str:
        """The name of its run, or `cascade`."""

    def answer(self, task: Task) -> Answer:
        """Answer a question; the problem of the answer says why it cannot, or that it is not sure.

        Raises `UserError` if the question cannot be asked.
        """


class TaggerSystem:
    """A tagger: it answers for the catalog that it was trained for, and knows how sure it is."""

    def __init__(self, name: str, tagger: Tagger) -> None:
        """name: of its run."""
        self.name = name
        self.tagger = tagger

    def find_unknown(self, tools: Sequence[Skill]) -> list[str]:
        """Find the tools that are not those of its catalog: by name, parameters, types and listed values."""
        known = {skill.name: format_signature(skill) for skill in self.tagger.skills.values()}
        return [tool.name for tool in tools if known.get(tool.name) != format_signature(tool)]

    def answer(self, task: Task) -> Answer:
        """Answer as `System` says."""
        return self.answer_above(self.tagger.settings.calibration.threshold, task)

    def answer_above(self, threshold: float, task: Task) -> Answer:
        """Answer as `System` says, sure from a confidence on."""
        if task.tools is not None and not task.tools:
            return Answer(self.name, problem="a tagger writes no reply")
        if task.tools is not None and (unknown := self.find_unknown(task.tools)):
            problem = f"the tagger was not trained for {summarize_names(unknown)}"
            return Answer(self.name, problem=problem)
        shown = None if task.tools is None else [{tool.name for tool in task.tools}]
        tagged = self.tagger.answer([task.question], shown)[0]
        confidence = self.tagger.rate(tagged)
        if tagged.problem is not None:
            return Answer(self.name, (), confidence, tagged.problem, is_too_long=not tagged.calls)
        calls = tuple(
            make_answered_call(self.tagger.skills[call.skill], call.arguments) for call in tagged.calls
        )
        return Answer(self.name, calls, confidence, _find_doubt(calls, confidence, threshold, task.must_call))


def _find_doubt(
    calls: Sequence[AnsweredCall], confidence: float, threshold: float, must_call: bool
) -> str | None:
    if must_call and not calls:
        return "it finds no call"
    if confidence < threshold:
        return f"its confidence of {confidence:.2f} is below its threshold of {threshold:.2f}"
    return None


class LanguageModelSystem:
    """A language model: asked by the prompts of its training, its answers constrained to calls of the tools."""

    def __init__(
        self,
        name: str,
        model: Any,
        tokenizer: Any,
        style: PromptStyle,
        catalog: Sequence[Skill],
        recognizers: Mapping[str, Recognizer],
        select_tools: Callable[[Question], Sequence[Skill]] | None = None,
        copy_rules: CopyRules | None = None,
        find_candidates: CandidateFinder | None = None,
    ) -> None:
        """Make a system.

        name: of its run. style: of its training. recognizers: by name, for canonical values. select_tools: which tools
        of the catalog a prompt shows; `None`: all. copy_rules: of the texts in calls of the catalog; `None`: any texts.
        find_candidates: finds the values that a prompt with tools shows; `None`: it shows none.
        """
        self.name = name
        self.model = model
        self.tokenizer = tokenizer
        self.style = style
        self.catalog = catalog
        self.recognizers = recognizers
        self._select_tools = select_tools
        self._copy_rules = copy_rules
        self._find_candidates = find_candidates

    def answer(self, task: Task) -> Answer:
        """Answer as `System` says."""
        tools = task.tools
        if tools is None:
            tools = self.catalog if self._select_tools is None else self._select_tools(task.question)
        form, is_prose = self.style.call_format, not tools
        if self._find_candidates is not None and not is_prose:
            (question,) = add_candidates([task.question], self._find_candidates)
            task = task._replace(question=question)
        prompt = self._encode_prompt(task, tools)
        grammars = None if is_prose else [self._build_grammar(task, tools)]
        completion = decode_prompts(
            self.model,
            self.tokenizer,
            [prompt],
            grammars,
            form,
            task.max_tokens,
            1,
            "",
            is_prose=is_prose,
        )[0]
        tokens = len(encode_text(self.tokenizer, completion.text))
        answer = Answer(self.name, prompt_tokens=len(prompt), answer_tokens=tokens)
        if is_prose:
            answer = msgspec.structs.replace(answer, reply=completion.text)
        if not completion.ended:
            problem = f"its answer is longer than {task.max_tokens} tokens"
            return msgspec.structs.replace(answer, problem=problem, is_cut=True)
        return answer if is_prose else self._add_calls(answer, completion, task.question, tools)

    def _build_grammar(self, task: Task, tools: Sequence[Skill]) -> str:
        """Build the grammar of an answer. The texts of tools that are not those of the catalog are any texts."""
        copying = None
        if self._copy_rules is not None and task.tools is None:
            said = list_shown_texts(build_messages(self.style, tools, task.question))
            copying = Copying(self._copy_rules, said)
        return build_call_grammar(tools, self.style.call_format, must_call=task.must_call, copying=copying)

    def _add_calls(
        self, answer: Answer, completion: Completion, question: Question, tools: Sequence[Skill]
    ) -> Answer:
        calls = parse_calls(completion.text, self.style.call_format)
        if isinstance(calls, MalformedCall):
            return msgspec.structs.replace(answer, problem=f"its answer is no call: {calls.why}")
        skills = {tool.name: tool for tool in tools}
        grounded = [ground_call(call, skills[call.skill], question, self.recognizers) for call in calls]
        made = tuple(make_answered_call(skills[call.skill], call.arguments) for call in grounded)
        return msgspec.structs.replace(answer, calls=made)

    def _encode_prompt(self, task: Task, tools: Sequence[Skill]) -> list[int]:
        """Encode a prompt. Raises `UserError` if a text spells a control token, or if it is too long."""
        question = task.question
        said = [question.utterance, *(turn.utterance for turn in question.context)]
        self._check_texts([*said, *(candidate.text for candidate in question.candidates)], "utterance")
        is_compact = self.style.tools == ToolForm.COMPACT
        shown = [
            format_signature(tool)
            if is_compact
            else msgspec.json.encode(build_tool_definition(tool)).decode()
            for tool in tools
        ]
        self._check_texts(shown, "tools")
        try:
            if tools:
                prompt = encode_prompt(self.tokenizer, self.style, tools, question)
            else:
                turns = [
                    msgspec.structs.asdict(turn) for turn in arrange_messages((), self.style, (), question)
                ]
                prompt = encode_text(self.tokenizer, render_prompt(self.tokenizer, turns, None))
        except ChatTemplateError as error:
            found = f"turns that the chat template of {self.name} refuses: {error}"
            raise UserError(
                [_describe("utterance", found, "turns it accepts", "leave out earlier turns")]
            ) from None
        self._check_length(len(prompt), task.max_tokens)
        return prompt

    def _check_texts(self, texts: Sequence[str], place: str) -> None:
        """Raise `UserError` if a text would end a turn or begin another."""
        token = next(filter(None, (find_control_text(self.tokenizer, text) for text in texts)), None)
        if token is not None:
            found = f"the control token {token!r}"
            raise UserError([_describe(place, found, "text that cannot end a turn", "remove it")])

    def _check_length(self, tokens: int, max_tokens: int) -> None:
        window = getattr(self.model.config, "max_position_embeddings", None)
        if window is not None and tokens + max_tokens > window:
            found = f"a prompt of {tokens:,} tokens"
            expected = f"at most {window - max_tokens:,}, so that prompt and answer fit {self.name}"
            raise UserError(
                [_describe("utterance", found, expected, "shorten it, or show fewer tools", TOO_LONG)]
            )


class Cascade:
    """A tagger where it is more likely right than wrong, else a language model, loaded when it is first asked."""

    name: Final = "cascade"

    def __init__(self, tagger: TaggerSystem, load_model: Callable[[], System]) -> None:
        """load_model: loads what answers where the tagger is not sure."""
        self.tagger = tagger
        self.load_model = load_model
        self.threshold = HAND_OVER

    def answer(self, task: Task) -> Answer:
        """Answer as `System` says; the answer names the run that gave it."""
        tagged = self.tagger.answer_above(self.threshold, task)
        if tagged.problem is None:
            return tagged
        answer = self.load_model().answer(task)
        return msgspec.structs.replace(answer, handed_over=f"{tagged.system}: {tagged.problem}")


def _describe(path: str, found: str, expected: str, fix: str, code: str = "bad_question") -> Diagnostic:
    return Diagnostic(path=path, code=code, found=found, expected=expected, fix=fix)
