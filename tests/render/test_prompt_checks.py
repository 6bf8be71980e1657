from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from exemplars.core.ledger import Problem
from exemplars.core.records import Exemplar, Reason
from exemplars.core.slot_paths import find_root
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.models.base_models import FolderBase, find_base, load_tokenizer
from exemplars.models.calls import CallFormat
from exemplars.models.prompt_style import ToolForm
from exemplars.models.rows import Message
from exemplars.models.turns import TurnRows
from stages.render.params import RenderParams
from stages.render.prompt_checks import TokenizedPrompt, tokenize_and_check
from stages.render.prompts import Prompt, build_prompts
from tests.render.rows import PARAMS, SKILLS, argument, exemplar, params
from tests.tiny import save_tiny

pytest.importorskip("transformers")


def load_tiny_tokenizer(folder: Path, template: str | None) -> Any:
    return load_tokenizer(find_base(FolderBase(path=str(save_tiny(folder, template)), license="MIT")))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from tests.tiny import TEMPLATE

    return load_tiny_tokenizer(tmp_path_factory.mktemp("tiny"), TEMPLATE)


def build_prompt(
    row: Exemplar, skills: Mapping[str, Skill], tools: list[str], chosen: RenderParams = PARAMS
) -> Prompt:
    prompts = build_prompts(TurnRows((row,)), skills, tools, chosen)
    assert isinstance(prompts, tuple)
    (prompt,) = prompts
    return prompt


def build_call_prompt() -> Prompt:
    row = exemplar("ring müm 🥧", "call", argument("contact", "müm 🥧", "müm 🥧"))
    return build_prompt(row, SKILLS, ["call", "weather"])


def check(prompt: Prompt, tokenizer: Any, limit: int = 400) -> TokenizedPrompt:
    tokenized = tokenize_and_check(prompt, tokenizer, limit, CallFormat.PYTHON)
    assert isinstance(tokenized, TokenizedPrompt)
    return tokenized


def find_problem(prompt: Prompt, tokenizer: Any, limit: int = 400) -> Problem:
    problem = tokenize_and_check(prompt, tokenizer, limit, CallFormat.PYTHON)
    assert isinstance(problem, Problem)
    return problem


def test_supervised_tokens_are_the_call_and_its_end(tokenizer: Any) -> None:
    tokenized = check(build_call_prompt(), tokenizer)
    assert tokenizer.decode(tokenized.input_ids[tokenized.prompt_tokens :]) == 'call(contact="müm 🥧")</s>'
    assert tokenizer.decode(tokenized.input_ids[: tokenized.prompt_tokens]).endswith(
        "<|user|>ring müm 🥧</s><|assistant|>"
    )


def test_a_row_longer_than_the_limit_is_rejected_not_cut(tokenizer: Any) -> None:
    problem = find_problem(build_call_prompt(), tokenizer, limit=10)
    assert problem.reason == Reason.TOO_LONG
    assert re.fullmatch(
        r"found \d+ tokens, expected at most 10; raise render\.max_tokens, or show fewer tools or turns",
        problem.sentence,
    )


def test_a_template_that_rejects_the_turns_is_quoted(tmp_path: Path) -> None:
    template = "{% if messages | length > 2 %}{{ raise_exception('only one turn') }}{% endif %}"
    problem = find_problem(build_call_prompt(), load_tiny_tokenizer(tmp_path, template))
    assert (problem.reason, problem.sentence) == (
        Reason.NOT_SUPERVISED,
        "found a chat template that fails: only one turn; use a chat template that accepts such turns",
    )


def test_a_template_that_changes_the_answer_is_rejected(tmp_path: Path) -> None:
    template = "{% for m in messages %}{{ m['content'] | upper + '</s>' }}{% endfor %}"
    problem = find_problem(build_call_prompt(), load_tiny_tokenizer(tmp_path, template))
    assert problem.reason == Reason.NOT_SUPERVISED


def test_a_template_without_an_end_of_turn_is_rejected(tmp_path: Path) -> None:
    template = "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
    problem = find_problem(build_call_prompt(), load_tiny_tokenizer(tmp_path, template))
    assert (problem.reason, problem.sentence) == (
        Reason.NOT_SUPERVISED,
        "found 'call(contact=\"müm 🥧\")' as the supervised text, expected 'call(contact=\"müm 🥧\")' "
        "and the end-of-turn token; use a chat template that ends with the answer unchanged",
    )


def test_a_template_that_hides_the_tools_is_rejected(tmp_path: Path) -> None:
    template = (
        "{% for m in messages %}{% if m['role'] != 'system' %}{{ '<|' + m['role'] + '|>' + m['content'] + '</s>' }}{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
    )
    problem = find_problem(build_call_prompt(), load_tiny_tokenizer(tmp_path, template))
    assert (problem.reason, problem.found) == (Reason.TOOL_NOT_IN_PROMPT, "no call in the prompt")


def test_a_template_that_ignores_the_definitions_is_rejected_whatever_the_user_says(tokenizer: Any) -> None:
    row = exemplar("call müm", "call", argument("contact", "müm", "müm"))
    prompt = build_prompt(row, SKILLS, ["call", "weather"], params(tools=ToolForm.TEMPLATE))
    problem = find_problem(prompt, tokenizer)
    assert (problem.reason, problem.found) == (Reason.TOOL_NOT_IN_PROMPT, "no call in the prompt")


def test_a_tool_whose_name_only_ends_like_the_called_one_does_not_count(tokenizer: Any) -> None:
    prompt = build_call_prompt()
    system = Message("system", "Call one.\nvideo_call(contact)")
    problem = find_problem(prompt._replace(messages=(system, *prompt.messages[1:])), tokenizer)
    assert problem.reason == Reason.TOOL_NOT_IN_PROMPT


def build_prompt_of_slot(skill: str, slot: str) -> Prompt:
    skills = {skill: Skill(skill, parameters=(Parameter(find_root(slot)),))}
    return build_prompt(exemplar("dry on Sunday", skill, argument(slot, "Sunday", "Sunday")), skills, [skill])


@pytest.mark.parametrize(
    ("skill", "slot"),
    [
        ("weather", "from"),
        ("get-weather", "day"),
        ("weather", "day-of-week"),
        ("weather.get", "days[0].name"),
        ("get weather", "day"),
        ("weather", '["day of week"]'),
    ],
)
def test_names_may_be_keywords_or_have_hyphens_dots_or_spaces(tokenizer: Any, skill: str, slot: str) -> None:
    check(build_prompt_of_slot(skill, slot), tokenizer)


@pytest.mark.parametrize(
    "answer", ["weather(day", 'rain(day="Sunday")', "None", '[weather(day="Sunday"), rain()]']
)
def test_a_call_that_is_parsed_differently_is_rejected(tokenizer: Any, answer: str) -> None:
    prompt = build_prompt_of_slot("weather", "day")
    messages = (*prompt.messages[:-1], Message("assistant", answer))
    problem = find_problem(prompt._replace(messages=messages), tokenizer)
    assert problem.reason == Reason.NOT_SUPERVISED
    assert problem.found.endswith(", which is parsed as a different call, or as none")


def test_a_model_without_a_template_gets_ours(tmp_path: Path) -> None:
    check(build_call_prompt(), load_tiny_tokenizer(tmp_path, None))
