"""Chats as tokens, by chat templates as models have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exemplars.models.base_models import FolderBase, find_base, load_tokenizer
from exemplars.models.chat_templates import (
    ChatTemplateError,
    find_chat_template,
    find_end_of_turn,
    render_prompt,
    tokenize_chat,
)
from tests.tiny import TEMPLATE, save_tiny

pytest.importorskip("torch")

SYSTEM = {"role": "system", "content": "Call one."}
USER = {"role": "user", "content": "ring mum"}
ANSWER = {"role": "assistant", "content": "call()"}
NO_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
)
RESULT = {"role": "tool", "content": "mum: 555"}
NO_TOOL = (
    "{% for m in messages %}{% if m['role'] not in ['system', 'user', 'assistant'] %}"
    "{{ raise_exception('Unknown role') }}{% endif %}{% endfor %}"
)
HIDDEN_TOOL = TEMPLATE.replace("messages %}", "messages if message['role'] != 'tool' %}", 1)
ALTERNATING = (
    "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate') }}{% endif %}{% endfor %}"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"))


def load_with_template(folder: Path, template: str) -> Any:
    tokenizer = load_tokenizer(find_base(FolderBase(path=str(folder), license="MIT")))
    tokenizer.chat_template = template
    return tokenizer


def test_a_template_that_rejects_a_system_role_has_its_text_before_the_first_turn(folder: Path) -> None:
    tokenizer = load_with_template(folder, NO_SYSTEM + TEMPLATE)
    assert render_prompt(tokenizer, [SYSTEM, USER], None) == "<|user|>Call one.\n\nring mum</s><|assistant|>"
    chat = tokenize_chat(tokenizer, [SYSTEM, USER, ANSWER], None)
    assert tokenizer.decode(chat.completion) == "call()</s>"


def test_turns_that_a_template_refuses_are_reported_in_its_words(folder: Path) -> None:
    tokenizer = load_with_template(folder, ALTERNATING + TEMPLATE)
    assert render_prompt(tokenizer, [USER], None) == "<|user|>ring mum</s><|assistant|>"
    with pytest.raises(ChatTemplateError, match="Roles must alternate"):
        tokenize_chat(tokenizer, [ANSWER, USER, ANSWER], None)


def test_a_template_that_refuses_without_a_message_is_reported(folder: Path) -> None:
    with pytest.raises(ChatTemplateError, match="nothing"):
        render_prompt(load_with_template(folder, "{{ raise_exception('') }}"), [USER], None)


def test_a_damaged_template_is_reported(folder: Path) -> None:
    with pytest.raises(ChatTemplateError, match="unexpected 'end of template'"):
        render_prompt(load_with_template(folder, "{{ messages["), [USER], None)


def test_of_several_templates_the_default_is_used(folder: Path) -> None:
    tokenizer = load_with_template(folder, TEMPLATE)
    tokenizer.chat_template = {"tool_use": "no", "default": TEMPLATE}
    assert find_chat_template(tokenizer) == TEMPLATE


def test_an_answer_ends_with_the_special_token_that_the_template_writes_after_it(folder: Path) -> None:
    plain = load_with_template(folder, TEMPLATE)
    assert find_end_of_turn(plain) == plain.eos_token_id
    other = load_with_template(folder, TEMPLATE.replace("</s>", "<|system|>\n"))
    chat = tokenize_chat(other, [USER, ANSWER], None)
    assert other.decode([find_end_of_turn(other)]) == "<|system|>"
    assert other.decode(chat.completion) == "call()<|system|>"


def test_the_tokenizers_end_token_is_used_if_the_template_writes_none(folder: Path) -> None:
    tokenizer = load_with_template(folder, TEMPLATE.replace("</s>", "\n"))
    assert find_end_of_turn(tokenizer) == tokenizer.eos_token_id


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "it runs for more than 2 s"),
        ("{{ 'a' * 10 ** 10 }}", "it needs more than 1 GiB of memory"),
        ("{% for m in messages %}{{ 'a' * (m['content'] | length) * 10 ** 10 }}{% endfor %}", "it needs more than 1 GiB of memory"),
        ("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "maximum recursion depth exceeded"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ messages[0]['content'] | int / 0 }}", "division by zero"),
        ("{{ 10 ** (10 ** 10) }}", "it runs for more than 2 s"),
        ("{{ '%d' % 'a' }}", "%d format: a real number is required, not str"),
        ("{{ [][1:2:0] }}", "slice step cannot be zero"),
        ("{{ range(10 ** 9) | list }}", "Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000)."),
    ],
    ids=["loop", "folded", "memory", "recursion", "zero", "zero of data", "power", "format", "slice", "range"],
)  # fmt: skip
def test_a_template_that_fails_or_does_not_end_is_reported_in_a_sentence(
    folder: Path, template: str, message: str
) -> None:
    with pytest.raises(ChatTemplateError) as error:
        render_prompt(load_with_template(folder, template), [USER], None)
    assert str(error.value).startswith(message)


def test_a_template_that_does_not_end_for_some_text_only_is_stopped(folder: Path) -> None:
    loop = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    tokenizer = load_with_template(
        folder, "{% if messages[0]['content'] == 'b' %}" + loop + "{% endif %}" + TEMPLATE
    )
    assert render_prompt(tokenizer, [USER], None) == "<|user|>ring mum</s><|assistant|>"
    with pytest.raises(ChatTemplateError, match="it runs for more than 2 s"):
        render_prompt(tokenizer, [{"role": "user", "content": "b"}], None)


def test_a_result_has_the_role_of_a_tool_where_the_template_shows_it(folder: Path) -> None:
    tokenizer = load_with_template(folder, TEMPLATE)
    assert render_prompt(tokenizer, [USER, ANSWER, RESULT], None) == (
        "<|user|>ring mum</s><|assistant|>call()</s><|tool|>mum: 555</s><|assistant|>"
    )


@pytest.mark.parametrize(
    "template",
    [NO_TOOL + TEMPLATE, HIDDEN_TOOL, ALTERNATING + TEMPLATE],
    ids=["refuses", "hides", "alternates"],
)
def test_a_result_is_a_message_of_the_user_where_the_template_has_no_role_for_it(
    folder: Path, template: str
) -> None:
    tokenizer = load_with_template(folder, template)
    shown = "<|user|>ring mum</s><|assistant|>call()</s><|user|>Result of the tool: mum: 555"
    assert render_prompt(tokenizer, [USER, ANSWER, RESULT], None) == f"{shown}</s><|assistant|>"
    chat = tokenize_chat(tokenizer, [USER, ANSWER, RESULT, RESULT, USER, ANSWER], None)
    assert tokenizer.decode(chat.prompt) == (
        f"{shown}\nResult of the tool: mum: 555\nring mum</s><|assistant|>"
    )
    assert tokenizer.decode(chat.completion) == "call()</s>"
