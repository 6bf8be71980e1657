"""Whether tools, calls and texts reach the tokens, by templates that keep them and by templates that lose them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exemplars.audit.proof.findings import RowProof
from exemplars.audit.proof.row_checks import prove_row
from tests.tiny import TEMPLATE, make_tokenizer

TOOLS_LINE = "{% if tools %}{{ '<|system|>' + (tools | tojson) + '</s>' }}{% endif %}"
TURN = (
    "{% for m in messages %}{{ '<|' + (m['role'] if m['role'] != 'tool' else 'user') + '|>' + (m['content'] or '') }}"
    "{% for c in m['tool_calls'] or [] %}{{ CALL }}{% endfor %}{{ '</s>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
KEEPS_ALL = TOOLS_LINE + TURN.replace("CALL", "c['function'] | tojson")
TOOL = {
    "type": "function",
    "function": {
        "name": "ring",
        "description": "Rings.",
        "parameters": {
            "type": "object",
            "properties": {"contact": {"type": "string"}, "loud": {"type": "boolean"}},
        },
    },
}


def make_row(arguments: Any = None, **keys: Any) -> dict[str, Any]:
    call = {
        "name": "ring",
        "arguments": {"contact": "Zoë & co", "loud": True} if arguments is None else arguments,
    }
    return {
        "messages": [
            {"role": "user", "content": "ring Zoë & co loudly"},
            {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": call}]},
            {"role": "tool", "content": "no answer"},
            {"role": "assistant", "content": "Nobody answers."},
        ],
        "tools": [TOOL],
        **keys,
    }


def prove(row: Any, template: str, limit: int | None = 512) -> RowProof:
    return prove_row("chats.jsonl:1", row, make_tokenizer(template), limit)


def list_findings(proof: RowProof) -> list[tuple[str, str]]:
    return [(finding.code.value, finding.pointer) for finding in proof.findings]


def test_a_template_that_writes_everything_proves_the_row() -> None:
    proof = prove(make_row(), KEEPS_ALL)
    assert list_findings(proof) == []
    assert (proof.dialect, proof.calls) == ("messages", 1)
    assert 0 < proof.supervised < proof.tokens


def test_a_template_that_knows_no_tools_loses_them_and_the_calls() -> None:
    proof = prove(make_row(), TEMPLATE)
    assert list_findings(proof) == [
        ("tool_lost", "/tools/0"),
        ("call_lost", "/messages/1/tool_calls/0/function"),
    ]
    assert [finding.message for finding in proof.findings] == [
        "the tool ring is not in the prompt",
        "not in the answer of ring: ring, contact, loud",
    ]


def test_a_template_that_writes_names_alone_loses_parameters_and_values() -> None:
    tools = "{% for t in tools or [] %}{{ t['function']['name'] + ' (tool). ' }}{% endfor %}"
    proof = prove(make_row(), tools + TURN.replace("CALL", "c['function']['name']"))
    assert [finding.message for finding in proof.findings] == [
        "parameters of ring are not in the prompt: contact, loud",
        "not in the answer of ring: contact, loud",
    ]


def test_arguments_as_json_text_become_json_inside_json() -> None:
    row = make_row(json.dumps({"contact": "Zoë & co", "loud": True}))
    assert list_findings(prove(row, KEEPS_ALL)) == [("encoded_twice", "/messages/1/tool_calls/0/function")]


def test_arguments_as_json_text_are_right_for_a_template_that_writes_them_as_they_are() -> None:
    template = TOOLS_LINE + TURN.replace("CALL", "c['function']['name'] + c['function']['arguments']")
    row = make_row(json.dumps({"contact": "Zoë & co", "loud": True}, ensure_ascii=False))
    assert list_findings(prove(row, template)) == []


def test_a_result_that_the_template_leaves_out_is_a_lost_message() -> None:
    template = KEEPS_ALL.replace(
        "(m['content'] or '')", "('' if m['role'] == 'tool' else m['content'] or '')"
    )
    proof = prove(make_row(), template)
    assert list_findings(proof) == [("message_lost", "/messages/2")]
    assert proof.findings[0].message == "the tool's text 'no answer' is not in the chat"


def test_an_answer_that_does_not_continue_its_prompt_is_not_supervised() -> None:
    template = KEEPS_ALL.replace("{{ '<|assistant|>' }}", "{{ '<|assistant|>Thinking.' }}")
    proof = prove(make_row(), template)
    assert list_findings(proof) == [("not_supervised", "/messages/1"), ("not_supervised", "/messages/3")]
    assert proof.supervised == 0


def test_an_answer_without_an_end_token_does_not_teach_to_stop() -> None:
    template = KEEPS_ALL.replace("{{ '</s>' }}{% endfor %}{% if add", "{{ '.' }}{% endfor %}{% if add")
    proof = prove(make_row(), template)
    assert list_findings(proof) == [
        ("end_not_supervised", "/messages/1"),
        ("end_not_supervised", "/messages/3"),
    ]


def test_messages_of_weight_zero_are_not_to_be_learned() -> None:
    row = make_row()
    for message in row["messages"]:
        message["weight"] = 0
    assert list_findings(prove(row, KEEPS_ALL)) == [("nothing_supervised", "")]


def test_a_control_token_in_a_value_is_found() -> None:
    row = make_row({"contact": "Zoë</s><|user|>hi", "loud": False})
    assert ("control_token", "/messages/1") in list_findings(prove(row, KEEPS_ALL))


def test_tokens_beyond_the_context_are_cut() -> None:
    proof = prove(make_row(), KEEPS_ALL, limit=16)
    assert list_findings(proof) == [("cut", "")]
    assert proof.findings[0].message == f"{proof.tokens} tokens, of which 16 fit"


def test_a_template_that_refuses_a_row_is_quoted() -> None:
    proof = prove(make_row(), "{{ raise_exception('Roles must alternate') }}")
    assert [finding.message for finding in proof.findings] == ["the template says: 'Roles must alternate'"]


@pytest.mark.parametrize("content", [{}, {"content": None}])
def test_a_message_without_content_that_a_template_fails_at_is_named(content: dict[str, None]) -> None:
    row = make_row()
    row["messages"][1] = {"role": "assistant", "tool_calls": row["messages"][1]["tool_calls"], **content}
    proof = prove(row, "{% for m in messages %}{{ '<s>' + m['content'] }}{% endfor %}")
    [finding] = proof.findings
    assert (finding.code.value, finding.pointer) == ("template_refuses", "/messages/1")
    assert finding.message.endswith(
        '; this message has no content, which the template reads: write "content": ""'
    )


@pytest.mark.parametrize("row", [5, {"text": "a"}, {"messages": []}])
def test_a_row_that_is_no_conversation_is_inconsistent(row: Any) -> None:
    assert ("inconsistent", "") in list_findings(prove(row, KEEPS_ALL))
