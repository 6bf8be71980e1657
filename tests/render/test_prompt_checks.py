from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exemplars.core.records import Reason
from exemplars.dataset.catalog import Parameter, Skill
from exemplars.models.base_models import FolderBase, find_base, load_tokenizer
from exemplars.models.calls import CallFormat
from stages.render.params import ToolForm
from stages.render.prompt_checks import Ready, proved
from stages.render.prompts import Prompt, Refused, prompts_of
from tests.render.rows import SKILLS, argument, exemplar, params
from tests.tiny import save_tiny

pytest.importorskip("transformers")


def tokenizer_of(folder: Path, template: str | None) -> Any:
    return load_tokenizer(find_base(FolderBase(path=str(save_tiny(folder, template)), license="MIT")))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from tests.tiny import TEMPLATE

    return tokenizer_of(tmp_path_factory.mktemp("tiny"), TEMPLATE)


def prompt() -> Prompt:
    row = exemplar("ring müm 🥧", "call", argument("contact", "müm 🥧", "müm 🥧"))
    (found,) = prompts_of(row, SKILLS, ["call", "weather"], params())
    assert isinstance(found, Prompt)
    return found


def test_supervised_tokens_are_the_call_and_its_end(tokenizer: Any) -> None:
    ready = proved(prompt(), tokenizer, 400, CallFormat.PYTHON)
    assert isinstance(ready, Ready)
    assert tokenizer.decode(ready.input_ids[ready.prompt_tokens :]) == 'call(contact="müm 🥧")</s>'
    assert tokenizer.decode(ready.input_ids[: ready.prompt_tokens]).endswith(
        "<|user|>ring müm 🥧</s><|assistant|>"
    )


def test_row_longer_than_the_limit_is_refused_not_cut(tokenizer: Any) -> None:
    refused = proved(prompt(), tokenizer, 10, CallFormat.PYTHON)
    assert isinstance(refused, Refused)
    assert refused.reason == Reason.TOO_LONG
    assert refused.found.endswith("tokens with at most 10 admitted")


def test_template_that_refuses_the_turns_is_refused_with_its_words(tmp_path: Path) -> None:
    refusing = "{% if messages | length > 2 %}{{ raise_exception('only one turn') }}{% endif %}"
    refused = proved(prompt(), tokenizer_of(tmp_path, refusing), 400, CallFormat.PYTHON)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.found) == (
        Reason.NOT_SUPERVISED,
        "a chat template that says: only one turn",
    )


def test_template_that_changes_the_answer_is_refused(tmp_path: Path) -> None:
    shouting = "{% for m in messages %}{{ m['content'] | upper + '</s>' }}{% endfor %}"
    refused = proved(prompt(), tokenizer_of(tmp_path, shouting), 400, CallFormat.PYTHON)
    assert isinstance(refused, Refused)
    assert refused.reason == Reason.NOT_SUPERVISED


def test_template_that_leaves_the_end_out_is_refused(tmp_path: Path) -> None:
    endless = "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
    refused = proved(prompt(), tokenizer_of(tmp_path, endless), 400, CallFormat.PYTHON)
    assert isinstance(refused, Refused)
    assert refused.reason == Reason.NOT_SUPERVISED


def test_template_that_hides_the_tools_is_refused(tmp_path: Path) -> None:
    blind = (
        "{% for m in messages %}{% if m['role'] != 'system' %}{{ '<|' + m['role'] + '|>' + m['content'] + '</s>' }}{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
    )
    refused = proved(prompt(), tokenizer_of(tmp_path, blind), 400, CallFormat.PYTHON)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.found) == (Reason.TOOL_NOT_IN_PROMPT, "no call in the prompt")


def test_template_that_leaves_the_definitions_out_is_refused_whatever_the_user_says(tokenizer: Any) -> None:
    row = exemplar("call müm", "call", argument("contact", "müm", "müm"))
    (found,) = prompts_of(row, SKILLS, ["call", "weather"], params(tools=ToolForm.TEMPLATE))
    assert isinstance(found, Prompt)
    refused = proved(found, tokenizer, 400, CallFormat.PYTHON)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.found) == (Reason.TOOL_NOT_IN_PROMPT, "no call in the prompt")


def test_a_tool_whose_name_only_ends_alike_is_not_the_one_that_is_called(tokenizer: Any) -> None:
    shown = prompt()
    system = {"role": "system", "content": "Call one.\nvideo_call(contact)"}
    refused = proved(
        shown._replace(messages=(system, *shown.messages[1:])), tokenizer, 400, CallFormat.PYTHON
    )
    assert isinstance(refused, Refused)
    assert refused.reason == Reason.TOOL_NOT_IN_PROMPT


def of_slot(skill: str, slot: str) -> Prompt:
    skills = {skill: Skill(skill, parameters=(Parameter(slot),))}
    row = exemplar("dry on Sunday", skill, argument(slot, "Sunday", "Sunday"))
    (found,) = prompts_of(row, skills, [skill], params())
    assert isinstance(found, Prompt)
    return found


def test_a_parameter_may_be_called_like_a_keyword(tokenizer: Any) -> None:
    assert isinstance(proved(of_slot("weather", "from"), tokenizer, 400, CallFormat.PYTHON), Ready)


@pytest.mark.parametrize(("skill", "slot"), [("get-weather", "day"), ("weather", "day-of-week")])
def test_a_call_that_python_does_not_read_back_is_refused(tokenizer: Any, skill: str, slot: str) -> None:
    refused = proved(of_slot(skill, slot), tokenizer, 400, CallFormat.PYTHON)
    assert isinstance(refused, Refused)
    assert refused.reason == Reason.NOT_SUPERVISED
    assert refused.found.endswith(", which is read as another call, or as none")


def test_model_without_a_template_gets_ours(tmp_path: Path) -> None:
    ready = proved(prompt(), tokenizer_of(tmp_path, None), 400, CallFormat.PYTHON)
    assert isinstance(ready, Ready)
